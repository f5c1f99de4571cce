-- Purpose:    the members who have spent most, in the newest snapshot.
-- Parameters: {top}  so many members, default 10
--             {day}  the newest snapshot up to this date, default today
-- Run:        ./loyalty sql --sample best_customers --set top=20
SELECT cust_id, cust_name, spnd_amt, data_dt
FROM loyalty
WHERE data_dt IN (SELECT MAX(data_dt) FROM loyalty WHERE data_dt <= DATE '{day}')
ORDER BY spnd_amt DESC, cust_id
LIMIT {top};
