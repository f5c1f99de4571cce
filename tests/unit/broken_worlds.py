"""The small world of lines, broken in every way that verify has a rule for."""

from collections.abc import Callable
from datetime import date

from tests.unit.hop_world import BAD, CONFLICT, FUTURE, TOPIC, T, World, order

X = order(9)
OLD = "old-topic-with-22-char"
Breaking = Callable[[World], object]
NOWHERE: dict[str, dict[str, object]] = {
    "a partition that there is not": {"p": 99},
    "an offset that there is not": {"off": 900},
    "a negative offset": {"off": -1},
    "a topic that there cannot be": {"tid": "garbage"},
    "a name that the topic cannot have": {"tid": f"{TOPIC}.1"},
    "no offset": {"off": None},
    "no partition": {"p": None},
    "no topic": {"tid": None},
}


def claiming(**origin: object) -> Breaking:
    """Let the second row claim that it came from somewhere else."""
    return lambda w: w.cln[1].update(origin)


BROKEN: dict[str, tuple[Breaking, tuple[str, str, bytes]]] = {
    "a line that Flume lost": (lambda w: w.log.append(X), ("topic", "missing", X)),
    "a line that no file had": (lambda w: w.log.remove(order(2)), ("topic", "foreign", order(2))),
    "a raw line taken": (lambda w: w.raw.remove(FUTURE), ("HDFS raw", "missing", FUTURE)),
    "a raw line added": (lambda w: w.raw.append(X), ("HDFS raw", "foreign", X)),
    "a row taken": (lambda w: w.cln.pop(1), ("transactions_cln", "missing", order(2))),
    "a row taken that has a conflict": (
        lambda w: w.cln.pop(0), ("transactions_cln", "missing", order(1))),
    "a bad line taken": (
        lambda w: w.quar.pop(0), ("transactions_cln", "missing", BAD)),
    "a row of nowhere": (
        lambda w: w.cln.append(w.row(X, 6, tid=None)), ("transactions_cln", "foreign", X)),
    "a file copied": (
        lambda w: w.cln.append(w.row(order(2), 1, file="f2")),
        ("transactions_cln", "double", order(2))),
    "a row under another's offset": (
        lambda w: w.cln[1].update(off=2), ("transactions_cln", "wrong", order(2))),
    "a row in another partition": (
        lambda w: w.cln[1].update(day=date(2026, 11, 23)),
        ("transactions_cln", "wrong", order(2))),
    "a row in another hour's partition": (
        lambda w: w.cln[1].update(block=0), ("transactions_cln", "wrong", order(2))),
    "a row with another time of arrival": (
        lambda w: w.cln[1].update(came=T * 1000 + 1), ("transactions_cln", "wrong", order(2))),
    "a row without a time of arrival": (
        lambda w: w.cln[1].update(came=None), ("transactions_cln", "wrong", order(2))),
    "a bad line in another date's partition": (
        lambda w: w.quar[0].update(day=date(2026, 11, 23)), ("quarantine", "wrong", BAD)),
    "a bad line with another time of arrival": (
        lambda w: w.quar[0].update(came=T * 1000 - 1000), ("quarantine", "wrong", BAD)),
    "a row with a wrong odr_prc": (
        lambda w: w.cln[1].update(derived=False), ("transactions_cln", "wrong", order(2))),
    "a bad line twice": (
        lambda w: w.quar.append(w.row(BAD, 3, reason="FIELDS", file="f2")),
        ("quarantine", "double", BAD)),
    "a row quarantined too": (
        lambda w: w.quar.append(w.row(order(2), 1, reason="ITEM")),
        ("quarantine", "double", order(2))),
    "a bad line under another's offset": (
        lambda w: w.quar[0].update(off=2), ("quarantine", "wrong", BAD)),
    "a bad line of nowhere": (
        lambda w: w.quar.append(w.row(X, 0, tid=None, p=None, reason="ITEM")),
        ("quarantine", "foreign", X)),
    **{
        f"a row from {name}": (claiming(**origin), ("transactions_cln", "wrong", order(2)))
        for name, origin in NOWHERE.items()
    },
    "a bad line from nowhere": (
        lambda w: w.quar[0].update(tid=None, p=None, off=None), ("quarantine", "wrong", BAD)),
    "a bad line for no reason": (
        lambda w: w.quar[0].update(reason=None), ("quarantine", "wrong", BAD)),
    "a bad line for an unknown reason": (
        lambda w: w.quar[0].update(reason="MOOD"), ("quarantine", "wrong", BAD)),
    "a conflict with nothing": (
        lambda w: w.quar[1].update(reason="CONFLICT"), ("quarantine", "wrong", FUTURE)),
    "a duplicate quarantined as CONFLICT": (
        lambda w: w.quar.append(w.row(order(1), 2, reason="CONFLICT")),
        ("quarantine", "wrong", order(1))),
    "a FUTURE line let through": (
        lambda w: w.cln.append(w.quar.pop(1)), ("transactions_cln", "wrong", FUTURE)),
    "the second content of an event stored, the first quarantined": (
        lambda w: (w.cln.__setitem__(0, w.row(CONFLICT, 5)),
                   w.quar.__setitem__(2, w.row(order(1), 0, reason="CONFLICT"))),
        ("quarantine", "wrong", order(1))),
    "a line quarantined as FUTURE that is none": (
        lambda w: setattr(w, "topic_ts", T + 3_000_000), ("quarantine", "wrong", FUTURE)),
    "a row of HBase taken": (lambda w: w.hbase.remove(order(2)), ("HBase", "missing", order(2))),
    "a FUTURE row of HBase taken": (
        lambda w: w.hbase.remove(FUTURE), ("HBase", "missing", FUTURE)),
    "a row of HBase copied under another key": (
        lambda w: w.hbase.append(order(2, "70")), ("HBase", "foreign", order(2, "70"))),
    "a column of HBase changed": (
        lambda w: w.hbase.__setitem__(1, order(2, amount="1.00")),
        ("HBase", "foreign", order(2, amount="1.00"))),
    "an offset that could not be read": (
        lambda w: setattr(w, "reached", 7), ("topic", "count", None)),  # type: ignore[dict-item]
}  # fmt: skip
