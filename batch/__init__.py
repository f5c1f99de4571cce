"""Stage 4: customer CSV on HDFS -> table customers_cln; transactions_cln rebuilt from HDFS raw."""
