-- Purpose:    every good order line once, as the stream wrote it; partitions are replaced whole.
-- Parameters: {hdfs}  the file system's URI, filled by hive/tables.py
-- Run:        ./loyalty up            (safe to run again)
-- Look:       ./loyalty sql "describe transactions_cln"
--
-- Each partition's LOCATION is its highest complete generation, …/odr_dt=D/odr_hr=H/g=N.
CREATE EXTERNAL TABLE IF NOT EXISTS transactions_cln (
  cust_id         BIGINT        COMMENT 'customer number; NULL is a walk-in',
  odr_menu        STRING        COMMENT 'item: menu item or product code; for REDEEM the reward code',
  odr_prc         DECIMAL(12,2) COMMENT 'signed line total in programme currency, tax-inclusive: minus for REFUND, 0.00 for REDEEM; its sum is net sales',
  odr_tms         STRING        COMMENT 'instant of payment as text dd-MM-yyyy HH:mm:ss in programme time, for old queries',
  order_id        STRING        COMMENT 'receipt, unique per receipt',
  line_no         INT           COMMENT 'position on the receipt, 1-999',
  event           STRING        COMMENT 'SALE, REFUND or REDEEM',
  store_id        INT           COMMENT 'store number',
  quantity        INT           COMMENT 'pieces; for REDEEM points spent',
  amount          DECIMAL(12,2) COMMENT 'line total as on the order line, unsigned, programme currency after discounts',
  ref             STRING        COMMENT 'for REFUND the order_id refunded; else NULL',
  ordered_at      TIMESTAMP     COMMENT 'instant of payment, UTC, milliseconds kept',
  ingested_at     TIMESTAMP     COMMENT 'instant at which the broker appended the line, UTC',
  kafka_topic_id  STRING        COMMENT 'UUID of the topic that held the line; UUID.2 and so on after that topic has lost its newest lines',
  kafka_partition INT           COMMENT 'partition of that topic',
  kafka_offset    BIGINT        COMMENT 'offset in that partition'
)
COMMENT 'Good order lines, one row a line: identity is (cust_id, ordered_at, order_id, line_no, event)'
PARTITIONED BY (
  odr_dt DATE COMMENT 'business date: date of ordered_at in programme time',
  odr_hr INT  COMMENT 'first local hour of the block of partition_hours that holds ordered_at, 0-23'
)
STORED AS PARQUET
LOCATION '{hdfs}/data/clean/transactions_cln'
