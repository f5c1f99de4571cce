-- Purpose: receipts, lines and net sales of each business date, the newest first.
-- Run:     ./loyalty sql -f hive/samples/sales_by_day.sql
SELECT
  odr_dt,
  COUNT(DISTINCT IF(event = 'SALE', order_id, NULL)) AS receipts,
  COUNT(*) AS order_lines,
  SUM(odr_prc) AS net_sales
FROM transactions_cln
GROUP BY odr_dt
ORDER BY odr_dt DESC
LIMIT 14;
