-- Purpose:    receipts and sales of each store by hour of the day.
-- Parameters: {days}   of so many dates, default 14
--             {until}  the last of them, default today
-- Run:        ./loyalty sql --sample busy_hours --set days=7
--
-- The hour is that of the store's clock, 0-23: odr_tms is in programme time, ordered_at in UTC.
SELECT
  store_id,
  CAST(SUBSTR(odr_tms, 12, 2) AS INT) AS hour_of_day,
  COUNT(DISTINCT order_id) AS receipts,
  SUM(amount) AS sales
FROM transactions_cln
WHERE odr_dt BETWEEN DATE_SUB(DATE '{until}', {days} - 1) AND DATE '{until}' AND event = 'SALE'
GROUP BY store_id, CAST(SUBSTR(odr_tms, 12, 2) AS INT)
ORDER BY store_id, hour_of_day;
