"""The tables in Hive: made from the files in ddl/, and pointed at the folders that readers see.

A table or partition shows exactly one generation, the folder that is its LOCATION.
"""

from collections.abc import Mapping
from datetime import date
from typing import Final

from hive.session import Session
from hive.sql import read_statement

TABLES: Final = ("transactions_cln", "quarantine", "customers_cln", "loyalty")

Partition = Mapping[str, int | str | date]
"""Partition columns with their values, in the order of the table: {"odr_dt": …, "odr_hr": 0}."""


def make_tables(session: Session, hdfs: str) -> None:
    """Make every table that is missing; those that are there stay. hdfs: hdfs://HOST:PORT."""
    for table in TABLES:
        session.run(read_statement(f"ddl/{table}.sql", hdfs=hdfs))


def partition_names(session: Session, table: str) -> set[str]:
    """Give the table's partitions as Hive names them: {"data_dt=2019-04-05"}."""
    return {name for (name,) in session.rows(f"SHOW PARTITIONS {table}")}


def partition_name(partition: Partition) -> str:
    """Give a partition's name as Hive has it: odr_dt=2019-04-05/odr_hr=0."""
    return "/".join(f"{column}={value}" for column, value in partition.items())


def set_location(
    session: Session, table: str, location: str, partition: Partition | None = None
) -> None:
    """Point a table, or a partition of it, at a complete folder that is there (hdfs://…).

    A partition that is missing is added. Two partitions must never share a folder: Hive returns
    the rows of one only. Safe to repeat.
    """
    if partition is None:
        session.run(f"ALTER TABLE {table} SET LOCATION '{location}'")
        return
    spec = _spec(partition)
    session.run(f"ALTER TABLE {table} ADD IF NOT EXISTS PARTITION ({spec}) LOCATION '{location}'")
    if get_location(session, table, partition) != location:
        session.run(f"ALTER TABLE {table} PARTITION ({spec}) SET LOCATION '{location}'")


def get_location(session: Session, table: str, partition: Partition | None = None) -> str:
    """Read back where a table or partition points; Refused where there is none."""
    where = "" if partition is None else f" PARTITION ({_spec(partition)})"
    rows = session.rows(f"DESCRIBE FORMATTED {table}{where}")
    values = {str(label).strip(): str(value).strip() for label, value, _ in rows}
    return values["Location:"]


def _spec(partition: Partition) -> str:
    return ", ".join(
        f"{column}={value}" if isinstance(value, int) else f"{column}='{value}'"
        for column, value in partition.items()
    )
