-- Purpose:    net spend of each customer on each business date, so that a refresh adds up new dates only.
-- Parameters: {hdfs}  the file system's URI, filled by hive/tables.py
-- Run:        ./loyalty up            (safe to run again; rows come by ./loyalty refresh)
-- Look:       ./loyalty sql "select * from spend_daily where odr_dt = '2019-04-05' limit 5"
--
-- Each partition's LOCATION is its highest generation, …/odr_dt=D/g=N.
-- hive/spend_daily/staged.sql has the same columns: change both.
CREATE EXTERNAL TABLE IF NOT EXISTS spend_daily (
  cust_id  BIGINT        COMMENT 'customer number, of unknown customers too; no walk-ins',
  spnd_amt DECIMAL(18,2) COMMENT 'net spend of the date, programme currency: sum of odr_prc'
)
COMMENT 'Net spend a customer and business date, as of the last refresh that looked at the date'
PARTITIONED BY (
  odr_dt DATE COMMENT 'business date of the order lines'
)
STORED AS ORC
LOCATION '{hdfs}/data/mart/spend_daily'
