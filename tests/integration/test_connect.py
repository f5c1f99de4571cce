"""What `connect` prints, copied as it stands and run: every tool reaches its server."""

import json
import re
import shutil
import subprocess
import sys
import urllib.request
import uuid
from pathlib import Path

import pytest

from drill.stack import OwnStack
from pipeline.clients import SALES, USER
from pipeline.errors import LoyaltyError
from pipeline.places import MART, RAW
from pipeline.webhdfs import Hdfs
from tests.waiting import wait_until

AT = 1_580_650_200_000  # 2 February 2020, a Sunday, in the forenoon; nobody else sells on it
OURS = "2020-02-02 12.34"


class Copied:
    """The sections of the output, by tool, each run in an empty folder with no settings of ours."""

    def __init__(self, printed: str, folder: Path) -> None:
        _, *parts = re.split(r"^# --- (?=\w+:)", printed, flags=re.MULTILINE)
        self.sections = {part.partition(":")[0]: f"# {part}".rstrip() + "\n" for part in parts}
        self._folder = folder

    def run(self, tool: str, stdin: str = "") -> str:
        """Run a section, of Python or of the shell; give what it prints."""
        section = self.sections[tool]
        is_python = re.search(r"^(?:from|import) ", section, re.MULTILINE)
        program = [sys.executable] if is_python else ["sh"]
        path = self._folder / tool
        path.write_text(section, encoding="utf-8")
        done = subprocess.run(
            [*program, str(path)], cwd=self._folder, input=stdin.encode(), timeout=240,
            capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()[-3000:]
        return done.stdout.decode()


def web_listing(copied: Copied) -> str:
    """Run the line of curl; a machine without curl opens the very same address."""
    if shutil.which("curl"):
        return copied.run("webhdfs")
    (url,) = re.findall(r"http://[^']+LISTSTATUS[^']+", copied.sections["webhdfs"])
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310
        return str(answer.read().decode())


def test_every_tool_works_with_what_is_printed(stack: OwnStack, tmp_path: Path) -> None:
    line = f"4000000001|{AT}|CONNECT-{uuid.uuid4().hex[:8]}|1|SALE|3|mocha|1|12.34|"
    stack.ok("produce", "--from", "-", stdin=f"{line}\n")
    copied = Copied(stack.ok("connect"), tmp_path)

    def sales() -> list[str]:
        return [" ".join(map(str, row.values())) for row in stack.sql(SALES)]

    wait_until("Hive", lambda: OURS in sales())
    expected = sorted(sales())
    for tool in ("pyhive", "sqlalchemy", "spark"):
        assert sorted(copied.run(tool).splitlines()) == expected, tool
    answer = copied.run("beeline", stdin=f"{SALES} HAVING odr_dt = '2020-02-02';\n")
    assert re.search(r"2020-02-02\W+12\.34", answer)
    assert copied.sections["jdbc"].split()[-1] in copied.sections["beeline"].split()

    log = b"".join(path.read_bytes() for path in stack.places.order_files())
    lines = {one.decode("utf-8", "replace") for one in log.split(b"\n")}
    messages = copied.run("kafka").split("\n")[:-1]
    assert messages
    assert set(messages) <= lines
    keys = [row.split(" ")[0] for row in copied.run("hbase").splitlines()]
    assert keys
    assert all(any(one.startswith(f"{key}|") for one in lines) for key in keys)

    dates = sorted(Hdfs(stack.settings.webhdfs, user="flume").names(RAW))
    found = json.loads(web_listing(copied))["FileStatuses"]["FileStatus"]
    assert [status["pathSuffix"] for status in found] == dates
    assert [row.split()[0] for row in copied.run("hdfs").splitlines()] == dates


def test_the_analyst_reads_and_writes_nothing(stack: OwnStack) -> None:
    with pytest.raises(LoyaltyError, match=r"[Pp]ermission"):
        Hdfs(stack.settings.webhdfs, user=USER).write(f"{MART}/mine", b"x")


def test_one_tool_alone_and_as_json(stack: OwnStack) -> None:
    alone = stack.ok("connect", "pyhive")
    document = json.loads(stack.ok("connect", "--json"))["pyhive"]
    assert document == json.loads(stack.ok("connect", "pyhive", "--json"))
    assert alone.endswith(f"\n{document['snippet']}\n")
    assert str(stack.settings.hiveserver2_port) in document["address"]
    assert "Did you mean 'kafka'?" in stack.run("connect", "kafak").stderr
