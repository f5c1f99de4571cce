"""verify: every store turned back into lines and compared, so that it needs no parser.

It shares no parser with the stages, and takes nothing from them: a line is bytes, split at `|` for
its date, its amount and its identity (the first five fields), and no more. `rebuild` and the list
of quarantine read the stores by its readers, and judge by rules of their own. What it trusts is
that the stores answer.

The hops: order log files, topic, HDFS raw, HBase (row key and columns), transactions_cln (its ten
fields) and quarantine (raw bytes). The rules are in rules.py, each a query that returns the wrong
lines; a line is reported at the hop where it went missing, or turned up, first. cut.py says up to
where is compared while orders flow, scope.py which dates, answers.py what a
producer's answer key tells of its lines beyond that.

What it does not judge: whether a line in quarantine is there for the right reason, or was a good
one (but for FUTURE and CONFLICT, which need no parser). `rebuild` compares the tables with what the
rules make of HDFS raw; a producer's answer key says which faults were planted.

What has been deleted by its retention is no difference:
- Topic lines appended longer ago than `log_retention_days` (less an hour) need no log file.
- Log lines that the topic lacks are looked for in HDFS raw instead, where the topic has lost its
  oldest lines (its first offset is above 0) or was made anew (the tables know another topic's id).
- Raw lines that neither holds are taken as the reference for the tables, unless they arrived
  within the log files' retention: then they are foreign.
An order that Flume delivers more than an hour after a retention of its file that had run out
meanwhile (an outage longer than the retention) would be called foreign to the log files.
"""
