-- Purpose:    net spend a customer of some business dates, all of them in one statement.
-- Parameters: {dates}  the dates, filled by hive/days.py
-- Run:        ./loyalty refresh
--
-- Customers that customers_cln does not list are kept: loaded later, they count from their own dates.
INSERT OVERWRITE TABLE spend_staged PARTITION (odr_dt)
SELECT cust_id, CAST(SUM(odr_prc) AS DECIMAL(18,2)) AS spnd_amt, odr_dt
FROM transactions_cln
WHERE odr_dt IN ({dates}) AND cust_id IS NOT NULL
GROUP BY odr_dt, cust_id
