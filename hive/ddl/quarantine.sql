-- Purpose:    every line that is no good order line, with the first reason that applies.
-- Parameters: {hdfs}  the file system's URI, filled by hive/tables.py
-- Run:        ./loyalty up            (safe to run again)
-- Look:       ./loyalty sql "select reason, count(*) from quarantine group by reason"
--
-- Each partition's LOCATION is its highest complete generation, …/arrival_dt=D/g=N.
CREATE EXTERNAL TABLE IF NOT EXISTS quarantine (
  raw             BINARY    COMMENT 'the line as it stood in the topic, bytes without the line end',
  reason          STRING    COMMENT 'FIELDS, ENCODING, CUSTOMER, TIME, ORDER_ID, LINE_NO, EVENT, STORE, ITEM, QUANTITY, AMOUNT, REF, FUTURE or CONFLICT: the first that applies',
  kafka_topic_id  STRING    COMMENT 'UUID of the topic that held the line; UUID.2 and so on after that topic has lost its newest lines',
  kafka_partition INT       COMMENT 'partition of that topic',
  kafka_offset    BIGINT    COMMENT 'offset in that partition',
  seen_at         TIMESTAMP COMMENT 'instant at which the broker appended the line, UTC'
)
COMMENT 'Lines that are no good order lines, one row an offset'
PARTITIONED BY (
  arrival_dt DATE COMMENT 'date of seen_at in programme time'
)
STORED AS PARQUET
LOCATION '{hdfs}/data/clean/quarantine'
