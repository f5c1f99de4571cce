-- Purpose:    how many members buy for the first time on each date, how many again.
-- Parameters: {days}   so many dates, default 14
--             {until}  the last of them, default today
-- Run:        ./loyalty sql --sample new_and_returning --set days=7
--
-- Who comes twice on the first date is new on it, once. Walk-ins are receipts without a member.
SELECT
  came.odr_dt,
  SUM(IF(came.cust_id IS NOT NULL AND came.odr_dt = earliest.first_dt, 1, 0)) AS new_members,
  SUM(IF(came.odr_dt > earliest.first_dt, 1, 0)) AS returning_members,
  SUM(IF(came.cust_id IS NULL, came.receipts, 0)) AS walk_ins
FROM (
  SELECT odr_dt, cust_id, COUNT(DISTINCT order_id) AS receipts
  FROM transactions_cln
  WHERE odr_dt BETWEEN DATE_SUB(DATE '{until}', {days} - 1) AND DATE '{until}' AND event = 'SALE'
  GROUP BY odr_dt, cust_id
) came
LEFT JOIN (
  SELECT cust_id, MIN(odr_dt) AS first_dt
  FROM transactions_cln
  WHERE odr_dt <= DATE '{until}' AND event = 'SALE' AND cust_id IS NOT NULL
  GROUP BY cust_id
) earliest ON earliest.cust_id = came.cust_id
GROUP BY came.odr_dt
ORDER BY came.odr_dt DESC;
