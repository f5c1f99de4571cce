-- Purpose:    what each store sold and gave back, and the share of it in per cent.
-- Parameters: {days}   of so many dates, default 30
--             {until}  the last of them, default today
-- Run:        ./loyalty sql --sample refunds --set days=90
--
-- A refund counts in the store that paid it, on the date when it did.
SELECT
  store_id,
  SUM(IF(event = 'SALE', amount, 0)) AS sales,
  COUNT(DISTINCT IF(event = 'REFUND', order_id, NULL)) AS refunds,
  SUM(IF(event = 'REFUND', amount, 0)) AS refunded,
  CAST(
    100 * SUM(IF(event = 'REFUND', amount, 0)) / SUM(IF(event = 'SALE', amount, 0))
    AS DECIMAL(12,2)
  ) AS per_cent
FROM transactions_cln
WHERE odr_dt BETWEEN DATE_SUB(DATE '{until}', {days} - 1) AND DATE '{until}'
  AND event IN ('SALE', 'REFUND')
GROUP BY store_id
ORDER BY store_id;
