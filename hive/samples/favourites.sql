-- Purpose: what is sold most: pieces and net sales of each item, refunds taken off.
-- Run:     ./loyalty sql -f hive/samples/favourites.sql
SELECT
  odr_menu AS item,
  SUM(CASE event WHEN 'SALE' THEN quantity WHEN 'REFUND' THEN -quantity ELSE 0 END) AS pieces,
  SUM(odr_prc) AS net_sales
FROM transactions_cln
WHERE event <> 'REDEEM'
GROUP BY odr_menu
ORDER BY pieces DESC, item
LIMIT 10;
