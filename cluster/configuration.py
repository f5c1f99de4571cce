"""Configuration: every file of a component's conf/ folder, rendered into the data folder."""

import secrets
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cluster.component import folder_of
from cluster.java import JVM
from pipeline.document import replace_file
from pipeline.places import Places
from pipeline.settings import Settings

CONFIGURED = ("common", "kafka", "hdfs", "hbase", "hive", "spark", "flume")


def make_secret(places: Places, name: str) -> str:
    """Give a generated password, the same one ever after; only its owner may read the file."""
    places.secrets.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = places.secrets / name
    if not path.exists():
        replace_file(path, secrets.token_urlsafe(24).encode(), mode=0o600)
    return path.read_text(encoding="ascii")


def render(settings: Settings, places: Places, zone: str, jars: dict[str, Path]) -> None:
    """Write the configuration of every component of our own; templates end in .j2, others are
    copied.
    """
    values = {
        "settings": settings,
        "data": settings.data,
        "zone": zone,
        "jars": jars,
        "jvm": " ".join(JVM),
        "secret": make_secret(places, "metastore"),
    }
    places.conf.mkdir(parents=True, exist_ok=True, mode=0o700)
    # HDFS's clients and tools read their folders also where the servers are given
    for name in (n for n in CONFIGURED if n == "hdfs" or n not in settings.given):
        source = folder_of(name) / "conf"
        engine = Environment(
            loader=FileSystemLoader(source),
            undefined=StrictUndefined,
            keep_trailing_newline=True,
            autoescape=False,  # noqa: S701  # configuration, not HTML
        )
        for path in sorted(p for p in source.rglob("*") if p.is_file()):
            relative = path.relative_to(source)
            target = places.conf / name / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix == ".j2":
                text = engine.get_template(relative.as_posix()).render(values)
                _replace(target.with_suffix(""), text.encode())
            else:
                _replace(target, path.read_bytes())


def _replace(path: Path, content: bytes) -> None:
    """Write a file that others may be reading, unless it is the same."""
    if path.exists() and path.read_bytes() == content:
        return
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    fresh.write_bytes(content)
    fresh.replace(path)
