"""What a Spark driver of ours needs in its environment."""

import os
import sys

from pipeline.addresses import LOOPBACK
from pipeline.settings import Settings


def environment(settings: Settings) -> dict[str, str]:
    """Give the interpreter, loopback, the rendered configuration and the HDFS user."""
    conf = settings.data / "conf"
    return {
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": LOOPBACK,
        "SPARK_CONF_DIR": str(conf / "spark"),
        "HADOOP_CONF_DIR": str(conf / "common"),
        "HADOOP_USER_NAME": "spark",
        "MALLOC_ARENA_MAX": "2",
        "PATH": os.environ.get("PATH", ""),
    }
