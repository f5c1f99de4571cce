-- Purpose:    each date's receipts, pieces, net sales and average basket.
-- Parameters: {days}   so many dates, default 14
--             {until}  the last of them, default today
-- Run:        ./loyalty sql --sample sales_by_day --set days=7
--
-- Pieces and the basket are those of the sales; a refund counts on the date when it was made.
SELECT
  odr_dt,
  COUNT(DISTINCT IF(event = 'SALE', order_id, NULL)) AS receipts,
  SUM(IF(event = 'SALE', quantity, 0)) AS pieces,
  SUM(odr_prc) AS net_sales,
  CAST(
    SUM(IF(event = 'SALE', amount, 0)) / COUNT(DISTINCT IF(event = 'SALE', order_id, NULL))
    AS DECIMAL(12,2)
  ) AS average_basket
FROM transactions_cln
WHERE odr_dt BETWEEN DATE_SUB(DATE '{until}', {days} - 1) AND DATE '{until}'
GROUP BY odr_dt
ORDER BY odr_dt DESC;
