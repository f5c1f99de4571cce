-- Purpose:    the table that a refresh builds a snapshot in: columns of `loyalty` without data_dt.
-- Parameters: {location}  an empty folder of this refresh's own, filled by hive/snapshot.py
-- Run:        ./loyalty refresh
--
-- Temporary: only this session sees it, and nothing of it outlives a kill but its folder. A table
-- and not a directory, because the ORC columns bear their names only then.
CREATE TEMPORARY EXTERNAL TABLE loyalty_staged (
  cust_id             BIGINT        COMMENT 'customer number',
  cust_name           STRING        COMMENT 'name',
  cust_member_card_no STRING        COMMENT 'card number',
  spnd_amt            DECIMAL(18,2) COMMENT 'net spend of all time up to and with data_dt, programme currency; 0.00 without orders'
)
COMMENT 'A snapshot of loyalty while it is built'
STORED AS ORC
LOCATION '{location}'
