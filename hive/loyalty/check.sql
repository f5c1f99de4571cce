-- Purpose:    what a refresh has built, before anybody sees it: rows, distinct members, spend.
-- Run:        ./loyalty refresh
SELECT COUNT(*) AS members, COUNT(DISTINCT cust_id) AS ids, COALESCE(SUM(spnd_amt), 0) AS spent
FROM loyalty_staged
