"""The stores read back as they lie there: the topic, HDFS raw and the tables' files.

By verify, which judges, and by those that list, rebuild and copy: none of it parses a line.
"""
