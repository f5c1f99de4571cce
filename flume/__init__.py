"""Stage 2: order log files -> topic orders -> HDFS raw and HBase."""
