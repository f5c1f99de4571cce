"""Stage 4: customer CSV on HDFS -> table customers_cln."""
