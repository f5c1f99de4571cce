"""The document of `status` of a healthy stack, as cluster.report.describe gives it."""

from copy import deepcopy
from typing import Any, Final

TITLES: Final = {
    "kafka": ("Kafka broker", 9092, 172), "namenode": ("HDFS NameNode", 8020, 162),
    "datanode": ("HDFS DataNode", 9866, 161), "hbase": ("HBase", 16000, 277),
    "thrift": ("HBase Thrift", 9090, 143), "metastore": ("Hive metastore", 9083, 232),
    "hiveserver2": ("HiveServer2", 10000, 462), "flume": ("Flume agent", None, 186),
    "streaming": ("Spark streaming", None, 560), "refresh": ("Refresh schedule", None, 39),
    "producer": ("Demo producer", None, 37),
}  # fmt: skip
HOPS: Final = {
    "log": ("order log", 10.02, None), "topic": ("topic", 10.02, 0), "raw": ("HDFS raw", 9.98, 2),
    "hbase": ("HBase", 10.02, 0), "transactions_cln": ("transactions_cln", 9.95, 24),
}  # fmt: skip
SIZES: Final = {
    "order log": 12_000_000, "Kafka": 23_500_000, "raw": 9_800_000, "clean": 4_100_000,
    "mart": 310_000, "HBase": 15_000_000, "logs": 2_400_000, "other": 9_000_000,
}  # fmt: skip

_HEALTHY: Final[dict[str, Any]] = {
    "at": "2026-11-24T16:30:00+00:00",
    "healthy": True,
    "watcher": "",
    "components": [
        {"name": name, "title": title,
         "state": "answering" if port or name == "refresh" else "running",
         "restarts": 0, "port": port, "given": "", "rss_mib": mib, "wanted": True, "error": "",
         "reason": ""}
        for name, (title, port, mib) in TITLES.items()
    ],
    "producer": {"asked": "5/s", "measured": 5.0, "shape": "constant", "now": 5.0},
    "lag": {"flume-hdfs": 2, "flume-hbase": 0, "streaming": 24},
    "hops": [
        {"name": name, "title": title, "rate": rate, "lag": lag, "age_seconds": 3,
         "growing": None}
        for name, (title, rate, lag) in HOPS.items()
    ],
    "quarantine": {"lines": 4310, "quarantined": 0, "reasons": {}},
    "disk": [{"store": store, "bytes": count, "bytes_per_day": count // 4}
             for store, count in SIZES.items()],
    "refresh": {"last": "2026-11-24T16:26:32+00:00", "outcome": "made", "error": None,
                "next": "2026-11-24T16:31:32+00:00", "newest_snapshot": "2026-11-24",
                "snapshot_age_seconds": 208, "fruitless": 0},
    "customers": True,
    "open_partitions": [{"table": "transactions_cln", "partition": "odr_dt=2026-11-24/odr_hr=0",
                         "files": 4, "generation": 1}],
    "full_disks": [],
    "left_out": [],
    "gaps": [],
}  # fmt: skip


def document(**changed: Any) -> dict[str, Any]:
    """Give a copy with some keys changed."""
    return deepcopy(_HEALTHY) | changed


def with_component(name: str, **changed: Any) -> dict[str, Any]:
    """Give a document in which one component is otherwise."""
    found = document(healthy=False)
    for component in found["components"]:
        if component["name"] == name:
            component.update(changed)
    return found


def with_hop(name: str, **changed: Any) -> dict[str, Any]:
    """Give a document in which one hop is otherwise."""
    found = document()
    for hop in found["hops"]:
        if hop["name"] == name:
            hop.update(changed)
    return found
