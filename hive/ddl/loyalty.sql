-- Purpose:    what people query: one row per customer of customers_cln per snapshot.
-- Parameters: {hdfs}  the file system's URI, filled by hive/tables.py
-- Run:        ./loyalty up            (safe to run again; rows come by ./loyalty refresh)
-- Look:       ./loyalty sql "select * from loyalty where data_dt = '2019-04-05' limit 5"
--
-- Each partition's LOCATION is its highest generation, …/data_dt=D/g=N.
-- hive/loyalty/staged.sql has the same columns: change both.
CREATE EXTERNAL TABLE IF NOT EXISTS loyalty (
  cust_id             BIGINT        COMMENT 'customer number',
  cust_name           STRING        COMMENT 'name',
  cust_member_card_no STRING        COMMENT 'card number',
  spnd_amt            DECIMAL(18,2) COMMENT 'net spend of all time up to and with data_dt, programme currency; 0.00 without orders'
)
COMMENT 'Members with their spend, one row a customer and snapshot'
PARTITIONED BY (
  data_dt DATE COMMENT 'business date of the snapshot: the state in its last instant; of today: as known so far'
)
STORED AS ORC
LOCATION '{hdfs}/data/mart/loyalty'
