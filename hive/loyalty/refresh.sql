-- Purpose:    the loyalty join: every member with the net spend of all time up to data_dt.
-- Parameters: {data_dt}  the snapshot's business date, filled by hive/refresh.py
-- Run:        ./loyalty refresh --data-dt 2019-04-05
--
-- Walk-ins and unknown customers are left out, members without orders have 0.00. spnd_amt is wider
-- than an amount: a sum that did not fit would become NULL. Sorted, so that a look-up of one member
-- reads one stripe.
INSERT OVERWRITE TABLE loyalty_staged
SELECT
  member.cust_id,
  member.cust_nm AS cust_name,
  member.cust_member_card_no,
  CAST(COALESCE(spend.spnd_amt, 0) AS DECIMAL(18,2)) AS spnd_amt
FROM customers_cln member
LEFT JOIN (
  SELECT cust_id, SUM(odr_prc) AS spnd_amt
  FROM transactions_cln
  WHERE odr_dt <= DATE '{data_dt}' AND cust_id IS NOT NULL
  GROUP BY cust_id
) spend ON spend.cust_id = member.cust_id
ORDER BY cust_id
