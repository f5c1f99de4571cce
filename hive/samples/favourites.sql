-- Purpose:    what is sold most: pieces, net sales and members of each item.
-- Parameters: {top}    so many items, default 10
--             {days}   of the sales of so many dates, default 30
--             {until}  the last of them, default today
-- Run:        ./loyalty sql --sample favourites --set days=7
--
-- Refunds are taken off; buyers are the different members who bought it, walk-ins left out.
SELECT
  odr_menu AS item,
  SUM(CASE event WHEN 'SALE' THEN quantity ELSE -quantity END) AS pieces,
  SUM(odr_prc) AS net_sales,
  COUNT(DISTINCT IF(event = 'SALE', cust_id, NULL)) AS buyers
FROM transactions_cln
WHERE odr_dt BETWEEN DATE_SUB(DATE '{until}', {days} - 1) AND DATE '{until}'
  AND event IN ('SALE', 'REFUND')
GROUP BY odr_menu
ORDER BY pieces DESC, item
LIMIT {top};
