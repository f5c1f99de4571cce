"""Rows of the HBase table `orders`, as Flume writes them."""

from hbase.codec import COLUMNS
from pipeline.order import OrderLine


def to_row(line: OrderLine) -> tuple[bytes, dict[bytes, bytes]]:
    """Give row key and cells of a line."""
    fields = line.text().encode().split(b"|")
    return b"|".join(fields[:5]), dict(zip(COLUMNS, fields[5:], strict=True))
