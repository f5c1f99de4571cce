"""The tables in Hive: made from the files in ddl/, and pointed at the folders that readers see.

A table or partition shows exactly one generation, the folder that is its LOCATION.
"""

from collections.abc import Mapping
from datetime import date
from typing import Final

from hive.session import Session
from hive.sql import read_statement
from pipeline.errors import LoyaltyError

TABLES: Final = ("transactions_cln", "quarantine", "customers_cln", "spend_daily", "loyalty")

Partition = Mapping[str, int | str | date]
"""Partition columns with their values, in the order of the table: {"odr_dt": …, "odr_hr": 0}."""


def make_tables(session: Session, hdfs: str) -> None:
    """Make every table that is missing; those that are there stay. hdfs: hdfs://HOST:PORT."""
    for table in TABLES:
        session.run(read_statement(f"ddl/{table}.sql", hdfs=hdfs))


def partition_names(session: Session, table: str) -> set[str]:
    """Give the table's partitions as Hive names them: {"data_dt=2019-04-05"}."""
    return {name for (name,) in session.rows(f"SHOW PARTITIONS {table}")}


def column_names(session: Session) -> dict[str, list[str]]:
    """Give every table of Hive with its columns, those of its partitions last."""
    columns = {}
    for (table,) in session.rows("SHOW TABLES"):
        names = (str(name).strip() for name, *_ in session.rows(f"DESCRIBE {table}"))
        # a headline follows the columns; after it those of the partitions come once more
        columns[table] = list(dict.fromkeys(n for n in names if n and not n.startswith("#")))
    return columns


def partition_name(partition: Partition) -> str:
    """Give a partition's name as Hive has it: odr_dt=2019-04-05/odr_hr=0."""
    return "/".join(f"{column}={value}" for column, value in partition.items())


def read_partition(name: str) -> Partition:
    """Read a partition's name: odr_dt=2019-04-05/odr_hr=0."""
    pairs = (part.partition("=") for part in name.split("/"))
    return {column: int(value) if value.isdecimal() else value for column, _, value in pairs}


def set_location(
    session: Session, table: str, location: str, partition: Partition | None = None
) -> None:
    """Point a table, or a partition of it, at a complete folder that is there (hdfs://…).

    A partition that is missing is added. The switch is read back; LoyaltyError where Hive shows
    something else. Two partitions must never share a folder: Hive returns the rows of one only.
    Safe to repeat.
    """
    if partition is None:
        if get_location(session, table) == location:
            return
        session.run(f"ALTER TABLE {table} SET LOCATION '{location}'")
    else:
        spec = partition_spec(partition)
        session.run(
            f"ALTER TABLE {table} ADD IF NOT EXISTS PARTITION ({spec}) LOCATION '{location}'"
        )
        if get_location(session, table, partition) == location:
            return
        session.run(f"ALTER TABLE {table} PARTITION ({spec}) SET LOCATION '{location}'")
    if (found := get_location(session, table, partition)) != location:
        name = f"{table} {partition_name(partition)}" if partition else table
        raise LoyaltyError(
            f"{name} still points at {found} after the switch to {location}; run the command again."
        )


def get_location(session: Session, table: str, partition: Partition | None = None) -> str:
    """Read back where a table or partition points; Refused where there is none."""
    where = "" if partition is None else f" PARTITION ({partition_spec(partition)})"
    rows = session.rows(f"DESCRIBE FORMATTED {table}{where}")
    values = {str(label).strip(): str(value).strip() for label, value, _ in rows}
    return values["Location:"]


def partition_spec(partition: Partition) -> str:
    """Give a partition as a statement has it: odr_dt='2019-04-05', odr_hr=0."""
    return ", ".join(
        f"{column}={value}" if isinstance(value, int) else f"{column}='{value}'"
        for column, value in partition.items()
    )
