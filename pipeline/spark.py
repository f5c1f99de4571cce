"""The Spark session of the stream and of the batch jobs.

Memory, class path and master are in the rendered spark-defaults.conf, which SPARK_CONF_DIR names
(cluster/spark.py gives the environment).
"""

from typing import Final

from pyspark.sql import SparkSession

FRUGAL: Final[dict[str, bool | float | int | str | None]] = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.session.timeZone": "UTC",
    # our frames are small: one task after a shuffle, and no plan made twice
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.adaptive.enabled": "false",
    # the driver keeps a history for a UI that is not there
    "spark.ui.retainedJobs": "1",
    "spark.ui.retainedStages": "1",
    "spark.ui.retainedTasks": "10",
    "spark.sql.ui.retainedExecutions": "1",
    "spark.sql.streaming.numRecentProgressUpdates": "1",
    # of its checkpoint only the last batches are ever read
    "spark.sql.streaming.minBatchesToRetain": "5",
}


def open_session(name: str) -> SparkSession:
    """Open the process's Spark session."""
    session = SparkSession.builder.appName(name).config(map=FRUGAL).getOrCreate()
    session.sparkContext.setLogLevel("WARN")
    return session
