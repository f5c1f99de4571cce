-- Purpose:    the loyalty join: every member with the net spend of all time up to data_dt.
-- Parameters: {data_dt}  the snapshot's business date, filled by hive/snapshot.py
-- Parameters: {base}     an earlier snapshot that is still right; 1970-01-01 for none
-- Parameters: {older}    as base, where members may have come since; else 1970-01-01
-- Run:        ./loyalty refresh --data-dt 2019-04-05
--
-- Spend up to base is the base's own, later dates are added from spend_daily. Who is not in base is
-- added up from the first date on; {older} spares Hive that look where nobody can be new. Walk-ins
-- and unknown customers are left out, members without orders have 0.00. spnd_amt is wider than an
-- amount: a sum that did not fit would become NULL. Sorted, so that a look-up of one member reads
-- one stripe.
INSERT OVERWRITE TABLE loyalty_staged
SELECT
  member.cust_id,
  member.cust_nm AS cust_name,
  member.cust_member_card_no,
  CAST(COALESCE(spend.spnd_amt, 0) AS DECIMAL(18,2)) AS spnd_amt
FROM customers_cln member
LEFT JOIN (
  SELECT cust_id, SUM(spnd_amt) AS spnd_amt
  FROM (
    SELECT cust_id, spnd_amt
    FROM loyalty
    WHERE data_dt = DATE '{base}'
    UNION ALL
    SELECT cust_id, spnd_amt
    FROM spend_daily
    WHERE odr_dt > DATE '{base}' AND odr_dt <= DATE '{data_dt}'
    UNION ALL
    SELECT old.cust_id, old.spnd_amt
    FROM spend_daily old
    LEFT JOIN (SELECT cust_id FROM loyalty WHERE data_dt = DATE '{older}') listed
      ON listed.cust_id = old.cust_id
    WHERE old.odr_dt <= DATE '{older}' AND listed.cust_id IS NULL
  ) part
  GROUP BY cust_id
) spend ON spend.cust_id = member.cust_id
ORDER BY cust_id
