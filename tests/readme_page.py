"""README.md: its sessions, what each command shows there, and how that is made anew.

`python -m tests.readme_page`, beside a demo that `./loyalty up --rate 5/s` has just started in this
checkout, runs the sessions' commands and writes what they print into the page.
"""

import csv
import itertools
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.programme import read_programme
from pipeline.settings import ROOT, Settings
from producer.orders import REWARDS
from producer.pool import demo_customers

PAGE = ROOT / "README.md"
PROMPT = "$ ./loyalty"
_BLOCK = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Shown:
    """A command line of the page, and the output under it ("" where none is shown)."""

    command: str
    output: str


def session(name: str) -> list[Shown]:
    """List the commands between a session's mark and the next `<!-- end -->`."""
    blocks = _BLOCK.findall(_part(PAGE.read_text(encoding="utf-8"), name))
    return [shown for block in blocks for shown in _commands(block)]


def _part(text: str, name: str) -> str:
    """Give what stands between a session's mark and the next end."""
    _, _, rest = text.partition(f"<!-- session: {name} -->\n")
    part, _, _ = rest.partition("<!-- end -->")
    assert part, f"{PAGE.name} has no session {name}"
    return part


def _commands(block: str) -> Iterator[Shown]:
    """Take a block apart; a line that begins with the prompt begins a command."""
    for piece in re.split(rf"^(?={re.escape(PROMPT)} )", block, flags=re.MULTILINE):
        if piece:
            command, _, output = piece.partition("\n")
            yield Shown(command.removeprefix("$ "), output.rstrip("\n"))


def run(command: str, folder: Path, environment: dict[str, str]) -> str:
    """Run a command of the page in a folder; gives what it printed. Fails where it did."""
    words = shlex.split(command)
    done = subprocess.run(
        [str(ROOT / "loyalty"), *words[1:]], cwd=folder, env=environment, timeout=300,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return "\n".join(line.rstrip() for line in done.stdout.splitlines())


def shape(output: str) -> str:
    """Give an output without what differs from one run to the next.

    (Figures, members, items and events.) Rows that are alike then are one.
    """
    text = _varying().sub("NAME", output)
    text = re.sub(r"\b(SALE|REFUND|REDEEM)\b", "EVENT", text)
    text = re.sub(r"\b(demo|history)-", "RUN-", text)
    text = re.sub(r"\b[0-9a-f]{12,16}\b", "HASH", text)
    text = re.sub(r"-?\d[\d.,:]*", "9", text)
    lines = [re.sub(r" +", " ", line) for line in text.splitlines()]
    return "\n".join(line for line, _ in itertools.groupby(lines))


def labels(screen: str) -> list[str]:
    """Give the beginnings of `status`'s lines, without figures.

    What a disk gains a day is told after an hour, and open partitions only where there are some.
    """
    found = [re.sub(r"\d[\d.,]*", "9", line[:10]).strip() for line in screen.splitlines()]
    return [label for label in found if label not in {"a day", "open"}]


def _varying() -> re.Pattern[str]:
    """Match a demo member's name as customers_cln has it, an item of the menu, or a reward."""
    names = {row[2].strip() for row in csv.reader(demo_customers().splitlines())}
    items = {item.item for item in read_programme(Settings().programme).menu}
    rewards = {reward for reward, _ in REWARDS}
    longest_first = sorted(names | items | rewards, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)))


def write() -> None:
    """Run the page's sessions against the running demo, and write what they print into it."""
    text = PAGE.read_text(encoding="utf-8")
    for name in ("screen", "demo"):  # the demo ends with a pause
        part = _part(text, name)
        text = text.replace(part, _BLOCK.sub(_run_again, part))
    PAGE.write_text(text, encoding="utf-8")


def _run_again(block: re.Match[str]) -> str:
    """Give a block with what its commands print now, where it shows what they print."""
    lines = []
    for shown in _commands(block[0]):
        printed = run(shown.command, ROOT, dict(os.environ))
        lines += [f"$ {shown.command}", *([printed] if shown.output else [])]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    write()
