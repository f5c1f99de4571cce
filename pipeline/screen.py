"""`status` for people: one screen of 80 columns from the document that `status --json` prints."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, Final

from rich.console import Console, Group, RenderableType
from rich.segment import SegmentLines
from rich.table import Table
from rich.text import Text

from pipeline.wording import as_typed_here

MOST_PARTITIONS: Final = 3
"""So many open partitions are named."""
STALE_SECONDS: Final = 60
"""A hop that is behind and has moved no line for so long is shown in red."""
LABEL_COLUMNS: Final = 12
ARROWS: Final = {"topic": "→ ", "raw": "↳ ", "hbase": "↳ ", "transactions_cln": "↳ "}
UNKNOWN: Final = "unknown"
_COLOURS: Final = {"answering": "green", "running": "green", "starting": "yellow"}


def is_up(document: Mapping[str, Any]) -> bool:
    """Tell whether any component of our own has a process, or should have one."""
    return any(c["state"] != "down" for c in document["components"] if not c["given"])


def draw(document: Mapping[str, Any]) -> RenderableType:
    """Give the screen; what a healthy stack has no need of takes no line."""
    return Group(
        _components(document["components"]),
        *_state(document),
        *_warnings(document),
        *(part for block in _numbers(document) for part in ("", *block)),
    )


def fit(document: Mapping[str, Any], console: Console) -> SegmentLines:
    """Give the screen in no more rows than a terminal has.

    Where they are too few, blank lines go first, then the components' table for a line for each
    state, and last the end of the warnings: the numbers below them are always seen.
    """
    numbers = list(chain(*_numbers(document)))
    state, warnings = _state(document), _warnings(document)
    table = [_components(document["components"]), *state, *warnings]
    for parts in ([draw(document)], [*table, *numbers]):
        if len(lines := console.render_lines(Group(*parts))) <= console.height:
            return SegmentLines(lines, new_lines=True)
    head, said, end = (
        console.render_lines(Group(*parts))
        for parts in ([_states(document["components"]), *state], warnings, numbers)
    )
    room = max(console.height - len(head) - len(end), 1)
    if len(said) > room:
        left = len(said) - room + 1
        said[room - 1 :] = console.render_lines(f"{left} lines more; `./loyalty status` has all")
    return SegmentLines([*head, *said, *end], new_lines=True)


def _numbers(document: Mapping[str, Any]) -> list[list[RenderableType]]:
    """Give the blocks below what is said of the components."""
    return [
        [_path(document["hops"]), _line("quarantine", _quarantine(document["quarantine"]))],
        [_disk(document["disk"])],
        [*_partitions(document["open_partitions"]), _line("refresh", _refresh(document))],
    ]


def _components(components: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("component", "state")
    for name in ("port", "memory", "restarts"):
        table.add_column(name, justify="right", no_wrap=True)
    for c in components:
        memory = f"{c['rss_mib']} MiB" if c["rss_mib"] else ""
        state = Text(c["state"], _colour(c))
        if c["given"]:
            state = Text.assemble("given, ", state, f" at {_shorten(c['given'])}")
        table.add_row(c["title"], state, str(c["port"] or ""), memory, str(c["restarts"] or ""))
    return table


def _states(components: Sequence[Mapping[str, Any]]) -> Table:
    """Name the components by their state, without their other numbers."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True, min_width=LABEL_COLUMNS - 2)
    table.add_column()
    named: dict[tuple[str, str], list[str]] = {}
    for c in components:
        named.setdefault((c["state"], _colour(c)), []).append(c["title"])
    for (state, colour), titles in named.items():
        table.add_row(Text(state, colour), ", ".join(titles))
    return table


def _colour(component: Mapping[str, Any]) -> str:
    return _COLOURS.get(component["state"], "red" if component["wanted"] else "dim")


def _shorten(address: str) -> str:
    """Give the first of several addresses."""
    first, comma, _ = address.partition(",")
    return f"{first} …" if comma else first


def _state(document: Mapping[str, Any]) -> list[Text]:
    if not is_up(document) and not document["watcher"]:
        return [Text.assemble(("not running", "red"), as_typed_here("; `./loyalty up` starts it"))]
    total = sum(c["rss_mib"] for c in document["components"])
    word = Text("healthy", "green") if document["healthy"] else Text("not healthy", "red")
    producer = document["producer"]
    if producer["asked"]:
        measured = producer["measured"]
        rate = "not measured yet" if measured is None else f"measured {measured:.2f} orders/s"
        said = f"asked {_asked(producer)}, {rate}"
    else:
        said = "none; `./loyalty rate resume` starts invented orders"
    # what a container takes is Docker's to say
    memory = f", {total} MiB in all" if total else ""
    return [Text.assemble(word, memory), _line("producer", said)]


def _asked(producer: Mapping[str, Any]) -> str:
    """Say what the producer was asked for: in a rush-hour shape, what that is at this hour."""
    if producer["shape"] == "constant" or producer["now"] is None:
        return str(producer["asked"])
    return f"{producer['asked']} {producer['shape']} ({producer['now']:.2f}/s at this hour)"


def _warnings(document: Mapping[str, Any]) -> list[Text]:
    found = [
        Text.assemble((c["name"], "yellow"), f": {as_typed_here(c['reason'])}")
        for c in document["components"]
        if c["reason"] and c["wanted"]
    ]
    if document["watcher"]:
        found.append(_line("watcher", document["watcher"], "red"))
    found += [_line("disk", sentence, "red") for sentence in document["full_disks"]]
    found += [_line("order log", sentence, "red") for sentence in document["left_out"]]
    found += [_line("gap", sentence, "yellow") for sentence in document["gaps"]]
    found += [
        _line("lag", f"{hop['title']} is ever further behind: {hop['lag']:,} lines now,"
                     f" {hop['growing']:,} ten minutes ago", "yellow")
        for hop in document["hops"]
        if hop["growing"] is not None and hop["lag"] is not None
    ]  # fmt: skip
    return found


def _path(hops: Sequence[Mapping[str, Any]]) -> Table:
    """Draw the hops as a line, with what is known of each below it."""
    table = _table("path")
    for hop in hops:
        table.add_column(f"{ARROWS.get(hop['name'], '')}{hop['title']}", justify="right",
                         no_wrap=True)  # fmt: skip
    table.add_row("lines/s", *(_or_unknown(hop["rate"], rate) for hop in hops))
    table.add_row("behind", *("" if hop["name"] == "log" else _lag(hop) for hop in hops))
    table.add_row("newest", *(_or_unknown(hop["age_seconds"], ago) for hop in hops))
    return table


def _lag(hop: Mapping[str, Any]) -> Text:
    if hop["lag"] is None:
        return Text(UNKNOWN, "dim")
    is_stale = hop["lag"] and (hop["age_seconds"] or 0) > STALE_SECONDS
    return Text(f"{hop['lag']:,}", "red" if is_stale else "")


def _quarantine(day: Mapping[str, Any] | None) -> str:
    if day is None:
        return f"{UNKNOWN} until the stream has started"
    if not day["quarantined"]:
        return f"none of {day['lines']:,} lines in 24 hours"
    share = f" ({day['quarantined'] / day['lines']:.2%})" if day["lines"] else ""
    reasons = ", ".join(f"{name} {n:,}" for name, n in
                        sorted(day["reasons"].items(), key=lambda one: -one[1]))  # fmt: skip
    return f"{day['quarantined']:,} of {day['lines']:,} lines in 24 hours{share}: {reasons}"


def _disk(disk: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Draw the stores side by side, with their size below each, and its growth once it is known."""
    table = _table("disk")
    for one in disk:
        table.add_column(one["store"], justify="right", no_wrap=True)
    table.add_column("in all", justify="right", no_wrap=True)
    sizes, grows = ([one[key] for one in disk] for key in ("bytes", "bytes_per_day"))
    if not any(sizes):
        return _line("disk", f"{UNKNOWN} until the watcher has measured it")
    table.add_row("now", *(_or_unknown(one, size, "?") for one in sizes), _sum(sizes, size))
    if any(one is not None for one in grows):
        cells = (_or_unknown(one, signed_size, "?") for one in grows)
        table.add_row("a day", *cells, _sum(grows, signed_size))
    return table


def _sum(values: Sequence[float | None], form: Callable[[float], str]) -> str:
    known = [one for one in values if one is not None]
    return form(sum(known)) if len(known) == len(values) else ""


def _partitions(found: Sequence[Mapping[str, Any]]) -> list[Text]:
    """Give one line: the newest date's partitions first, of a date those with most files."""
    most = sorted(found, key=lambda one: (_dated(one), one["files"]), reverse=True)
    words = [
        f"{one['table']} {_dated(one)}: {one['files']} files (g={one['generation']})"
        for one in most[:MOST_PARTITIONS]
    ]
    if len(most) > MOST_PARTITIONS:
        words.append(f"{len(most) - MOST_PARTITIONS} more")
    return [_line("open", ", ".join(words))] if words else []


def _dated(partition: Mapping[str, Any]) -> str:
    """Give a partition's name from its date on: 2026-11-29/odr_hr=0."""
    return str(partition["partition"]).rpartition("_dt=")[2]


def _refresh(document: Mapping[str, Any]) -> str:
    last, now = document["refresh"], datetime.fromisoformat(document["at"])
    words = []
    if last["last"]:
        since = (now - datetime.fromisoformat(last["last"])).total_seconds()
        ended = {"failed": f"failed: {_clause(last['error'])}", "stopped": "stopped"}
        words.append(f"{ago(since)} ago, {ended.get(last['outcome'], 'ok')}")
    elif not is_up(document):
        words.append("none yet")
    elif document["customers"]:
        words.append("none yet; `./loyalty refresh` makes today's snapshot")
    else:
        words.append("none yet; load customers first: `./loyalty customers load FILE.csv`")
    if last["fruitless"] and last["outcome"] != "failed":
        words.append(
            f"the schedule's last {last['fruitless']} failed, see `./loyalty logs refresh`"
        )
    if last["next"]:
        until = (datetime.fromisoformat(last["next"]) - now).total_seconds()
        words.append(f"next in {ago(max(until, 0))}")
    if last["newest_snapshot"]:
        age = last["snapshot_age_seconds"]
        words.append(f"newest snapshot {last['newest_snapshot']}"
                     + ("" if age is None else f", {ago(age)} old"))  # fmt: skip
    return "; ".join(words)


def _clause(text: object) -> str:
    return (str(text).splitlines() or [""])[0].removesuffix(".")


def rate(lines: float) -> str:
    """Give lines a second in at most seven columns."""
    if lines == 0 or lines >= 100:
        return f"{lines:,.0f}"
    return f"{lines:.1f}" if lines >= 10 else f"{lines:.2f}"


def ago(seconds: float) -> str:
    """Give a time in its greatest unit; below ten seconds nobody knows it better."""
    if seconds < 10:
        return "<10 s"
    for most, unit, length in ((120, "s", 1), (7200, "min", 60), (172_800, "h", 3600)):
        if seconds < most:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds / 86_400:,.0f} days"


def size(count: float) -> str:
    """Give bytes as `du -h` does: 812K, 3.4M, 12G."""
    value, unit = abs(count) / 1024, "K"
    for larger in "MGTP":
        if value < 999.5:
            break
        value, unit = value / 1024, larger
    return f"{'-' if count < 0 else ''}{value:.{1 if 0 < value < 9.95 else 0}f}{unit}"


def signed_size(count: float) -> str:
    """Give bytes with their sign: +3.4M, -12K, 0K."""
    return f"+{size(count)}" if count > 0 else size(count)


def _or_unknown(value: float | None, form: Callable[[float], str], unknown: str = UNKNOWN) -> Text:
    return Text(unknown, "dim") if value is None else Text(form(value))


def _table(label: str, *columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(label, no_wrap=True, min_width=LABEL_COLUMNS - 2)
    for name in columns:
        table.add_column(name, no_wrap=True)
    return table


def _line(label: str, text: str, colour: str = "bold") -> Text:
    return Text.assemble((label.ljust(LABEL_COLUMNS), colour), as_typed_here(text))
