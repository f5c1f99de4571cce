-- Purpose: the ten members who spent most, in the newest snapshot.
-- Run:     ./loyalty sql -f hive/samples/best_customers.sql
SELECT cust_id, cust_name, spnd_amt, data_dt
FROM loyalty
WHERE data_dt IN (SELECT MAX(data_dt) FROM loyalty)
ORDER BY spnd_amt DESC, cust_id
LIMIT 10;
