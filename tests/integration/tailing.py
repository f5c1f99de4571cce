"""A JVM with Flume's reader of log files (Tail.java), and what its lines have to be."""

import hashlib
import os
import random
import subprocess
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Final

BUFFER: Final = 8_192
"""Bytes that the class reads at a time, as Flume's own does."""
CUT: Final = 65_536
"""Bytes that the agent's interceptor leaves of a line."""
Lines = list[tuple[int, str]]
"""Offset of each line in its file, and its body as Tail.java shows it."""


class Tail:
    """A JVM with Flume's reader of one folder."""

    def __init__(self, command: list[str], environment: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8",
            env={**os.environ, "LC_ALL": "C", **environment},
        )  # fmt: skip

    def ask(self, order: str) -> dict[str, Lines]:
        """Give what an order gives, by the name of the file."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(order + "\n")
        self.process.stdin.flush()
        answer: dict[str, Lines] = {}
        for line in iter(self.process.stdout.readline, ".\n"):
            assert line, "the JVM has ended"
            name, offset, *body = line.split()
            answer.setdefault(name, []).append((int(offset), "".join(body)))
        return answer


def lines_of(data: bytes) -> Lines:
    """Say what comes of the lines of a file; half a line at its end is none."""
    found, offset = [], 0
    for line in data.split(b"\n")[:-1]:
        found.append((offset, shown(line.removesuffix(b"\r")[:CUT])))
        offset += len(line) + 1
    return found


def shown(body: bytes) -> str:
    return (hashlib.sha256(body).hexdigest() if len(body) > 200 else body.hex()) or "-"


def ends_at_the_buffers_end(filler: bytes) -> bytes:
    """Give every sequence of five bytes, of CR, LF and a letter, across an end of the buffer."""
    data = b""
    for sequence in product(b"\r\na", repeat=5):
        end = (len(data) // BUFFER + 1) * BUFFER
        data += (filler * BUFFER)[: end - 3 - len(data)] + bytes(sequence)
    return data + b"end\n"


def boundary_files() -> dict[str, bytes]:
    chance = random.Random(8)
    files = {
        "long.log": ends_at_the_buffers_end(b"x"),
        "short.log": ends_at_the_buffers_end(
            b"7|1554120000000|A-1|1|SALE|3|latte|2|140.00|\n"
            b"7|1554120000000|A-2|1|SALE|3|latte|2|140.00|\r\n"
        ),
        "returns.log": ends_at_the_buffers_end(b"\r"),
        "dense.log": bytes(chance.choices(b"\r\na", k=150_000)),
        "halves.log": b"a" * (BUFFER - 1) + b"\r",
    }
    for times in (1, 2, 8):
        files[f"lengths-{times}.log"] = b"".join(
            b"y" * (times * BUFFER + more) + end
            for more in range(-3, 4)
            for end in (b"\n", b"\r\n", b"\r\r\n", b"\rz\n")
        )
    return files


def written(log: Path) -> dict[str, Lines]:
    """Write the files; gives what has to come of each, halves.log has no whole line."""
    for name, data in boundary_files().items():
        (log / name).write_bytes(data)
    return {name: lines for name, d in boundary_files().items() if (lines := lines_of(d))}


def compiled_driver(jars: Path, folder: Path) -> Path:
    """Compile Tail.java against Flume's jars into a folder, and give that."""
    source = Path(__file__).parent / "Tail.java"
    command = ["javac", "-proc:none", "-cp", f"{jars}/*", "-d", str(folder), str(source)]
    subprocess.run(command, check=True)
    return folder
