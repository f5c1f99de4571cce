-- Purpose:    the customer master, cleaned; one row a member.
-- Parameters: {hdfs}  the file system's URI, filled by hive/tables.py
-- Run:        ./loyalty up            (safe to run again)
-- Look:       ./loyalty sql "select count(*) from customers_cln"
--
-- `customers load` switches the LOCATION to its new generation, /data/clean/customers_cln/g=N.
-- Until the first one it is an empty folder elsewhere: Hive reads sub-folders, so the folder of
-- all generations would show several of them at once.
CREATE EXTERNAL TABLE IF NOT EXISTS customers_cln (
  cust_id             BIGINT COMMENT 'customer number, unique',
  cust_nm             STRING COMMENT 'name, trimmed; personal data',
  cust_email          STRING COMMENT 'e-mail address; personal data, may be shared',
  cust_strt_dt        DATE   COMMENT 'customer since; plays no part in any figure',
  cust_member_card_no STRING COMMENT 'card number without quotes',
  cust_birth_dt       DATE   COMMENT 'date of birth; personal data; NULL when not given',
  cust_birth_yr       INT    COMMENT 'year of birth; personal data; NULL when not given',
  cust_gender         STRING COMMENT 'MALE, FEMALE or NA; personal data',
  home_store          INT    COMMENT 'store number of the home store'
)
COMMENT 'Members, one row a customer; personal data beyond name and card number stays here'
STORED AS PARQUET
LOCATION '{hdfs}/data/clean/no_customers'
