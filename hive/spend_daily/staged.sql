-- Purpose:    the table in which a refresh sums dates anew: columns of `spend_daily`.
-- Parameters: {location}  an empty folder of this refresh's own, filled by hive/days.py
-- Run:        ./loyalty refresh
--
-- Temporary: only this session sees it, and nothing of it outlives a kill but its folder.
CREATE TEMPORARY EXTERNAL TABLE spend_staged (
  cust_id  BIGINT        COMMENT 'customer number, of unknown customers too; no walk-ins',
  spnd_amt DECIMAL(18,2) COMMENT 'net spend of the date, programme currency: sum of odr_prc'
)
COMMENT 'Dates of spend_daily while they are summed'
PARTITIONED BY (
  odr_dt DATE COMMENT 'business date of the order lines'
)
STORED AS ORC
LOCATION '{location}'
