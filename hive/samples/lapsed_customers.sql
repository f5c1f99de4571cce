-- Purpose:    members who have not come for some time, the best of them first.
-- Parameters: {days}   whose last purchase is so many days ago or more, default 30
--             {until}  counted back from this date, default today
--             {top}    so many members, default 20
-- Run:        ./loyalty sql --sample lapsed_customers --set days=60
--
-- Who has never bought anything is no lapsed member.
SELECT
  member.cust_id,
  member.cust_nm AS cust_name,
  member.home_store,
  bought.last_dt,
  DATEDIFF(DATE '{until}', bought.last_dt) AS days_away,
  bought.net_sales
FROM customers_cln member
JOIN (
  SELECT cust_id, MAX(IF(event = 'SALE', odr_dt, NULL)) AS last_dt, SUM(odr_prc) AS net_sales
  FROM transactions_cln
  WHERE odr_dt <= DATE '{until}' AND cust_id IS NOT NULL
  GROUP BY cust_id
) bought ON bought.cust_id = member.cust_id
WHERE bought.last_dt <= DATE_SUB(DATE '{until}', {days})
ORDER BY bought.net_sales DESC, member.cust_id
LIMIT {top};
