"""Wrong uses, one after the other: each is one sentence that names the thing and the next step."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cluster.stamp import write_stamp
from drill.stack import describe
from pipeline.cli import app
from pipeline.settings import ROOT, Settings
from tests.unit.receipt_rows import HEADER, row

DOWN = "`./loyalty status` shows its state"
"""The next step where a server does not answer."""

USES: list[tuple[int, str, tuple[str, ...]]] = [
    # commands and options
    (2, "stats", ("'stats'", "Did you mean 'status'?", "`./loyalty --help`")),
    (2, "xyzzy", ("'xyzzy'", "`./loyalty --help`")),
    (2, "--nonsense", ("--nonsense", "`./loyalty --help`")),
    (2, "customers lod FILE", ("'lod'", "Did you mean 'load'?", "`./loyalty customers --help`")),
    (2, "quarantine repaly", ("'repaly'", "'replay'", "`./loyalty quarantine --help`")),
    (2, "produce --cuont 5", ("--cuont", "Did you mean '--count'?", "`./loyalty produce --help`")),
    (2, "test --units", ("--units", "Did you mean '--unit'?", "`./loyalty test --help`")),
    (2, "status -z", ("-z", "`./loyalty status --help`")),
    (2, "produce --count", ("'--count'", "argument", "`./loyalty produce --help`")),
    (2, "down now", ("(now)", "`./loyalty down --help`")),
    (2, "replay", ("'receipts'", "`./loyalty replay --help`")),
    (2, "drill", ("'kind'", "kills, points,", "`./loyalty drill --help`")),
    (2, "drill kils", ("'kils'", "Did you mean 'kills'?", "`./loyalty drill --help`")),
    (2, "completion csh", ("'csh'", "'bash'", "`./loyalty completion --help`")),
    (2, "backup", ("'folder'", "`./loyalty backup --help`")),
    (2, "restore", ("'folder'", "`./loyalty restore --help`")),
    (2, "retention now", ("(now)", "`./loyalty retention --help`")),
    (2, "retention --jsno", ("--jsno", "Did you mean '--json'?", "`./loyalty retention --help`")),
    # numbers
    (2, "produce --count 0", ("--count", "at least 1", "'0'")),
    (2, "produce --count -5", ("--count", "at least 1", "'-5'")),
    (2, "produce --count 1.5", ("--count", "a whole number", "'1.5'")),
    (2, "produce --duration inf", ("--duration", "not inf or nan", "seconds")),
    (2, "orders 7 --last 0", ("--last", "at least 1")),
    (2, "orders 7 --last 99999999", ("--last", "at most 10,000")),
    (2, "orders abc", ("'abc'", "1 to 10 digits")),
    (2, "orders -1", ("'-1'", "1 to 10 digits")),
    (2, "logs kafka -n 0", ("--lines", "at least 1")),
    (2, "rebuild --most -1", ("--most", "at least 0")),
    (2, "verify --timeout soon", ("--timeout", "a number", "'soon'")),
    (2, "verify --timeout nan", ("--timeout", "1 or more")),
    (2, "drill kills --times 0", ("--times", "at least 1")),
    (2, "drill kills --rate 1000000", ("--rate", "at most 100,000")),
    (2, "up --history -1", ("--history", "at least 0", "'-1'")),
    (2, "up --history 9999", ("--history", "at most 5,000", "'9999'")),
    (2, "sql --sample sales_by_day --set days=few", ("--set days", "a whole number", "'few'")),
    # rates and shares
    (2, "rate fast", ("'fast'", "30s", "max, pause or resume")),
    (2, "rate -1", ("'-1'", "30s", "max, pause or resume")),
    (2, "rate 0/s", ("'0/s'", "30s", "max, pause or resume")),
    (2, "up --rate often", ("'often'", "30s", "max, pause or resume")),
    (2, "rate --shape rush", ("--shape", "'rush'", "rush-hour")),
    (2, "produce --count 5 --rate 5", ("'5'", "0.2/s")),
    (2, "produce --count 5 --faults late=1", ("'late'", "duplicate, duplicate-hour")),
    (2, "produce --count 5 --faults conflict=2", ("'2'", "at most 1", "conflict=0.01")),
    (2, "produce --count 5 --faults conflict=0.9,malformed=0.9", ("1.8", "together at most 1")),
    # dates, instants, time zones
    (2, "refresh --data-dt 2026-13-01", ("'2026-13-01'", "give it as 2026-11-07")),
    (1, "refresh --data-dt 2199-01-01", ("2199-01-01", "in the future", "give a date up to")),
    (1, "refresh --data-dt 0226-11-30", ("0226-11-30", "before all orders", "a later date")),
    (2, "backup hdfs://namenode/kept", ("is a URL", "a folder of this machine")),
    (2, "verify --from yesterday", ("--from", "'yesterday'", "give it as 2026-11-07")),
    (2, "verify --from 2026-11-07 --to 2026-11-01", ("2026-11-07", "exchange them")),
    (2, "rebuild --to 20261101", ("--to", "'20261101'", "give it as 2026-11-07")),
    (2, "quarantine --since heute", ("--since", "'heute'", "give it as 2026-11-07")),
    (2, "sql --sample sales_by_day --set until=x", ("--set until", "'x'", "give it as 2026-11-07")),
    (2, "produce --count 5 --start gestern", ("'gestern'", "give 2026-07-01T08:00")),
    (2, "produce --count 5 --start 1969-01-01", ("2001-09-09", "give another --start")),
    (2, "replay RECEIPTS --time-zone Mars/Base", ("'Mars/Base'", "give an IANA name")),
    # names
    (2, "logs kafak", ("'kafak'", "namenode", "Did you mean 'kafka'?")),
    (2, "connect kafak", ("'kafak'", "there is jdbc", "Did you mean 'kafka'?")),
    (2, "config kafak_port", ("kafak_port is no setting.", "Did you mean 'LOYALTY_KAFKA_PORT'?")),
    (2, "config xyzzy", ("xyzzy is no setting;", "`./loyalty config` lists all")),
    (2, "sql --sample best_customer", ("'best_customer'", "Did you mean 'best_customers'?")),
    (2, "logs zookeeper", ("'zookeeper'", "the components are kafka")),
    (1, "logs kafka", ("kafka has no log yet", "`./loyalty up`")),
    (2, "quarantine replay --reason ITEMS", ("'ITEMS'", "FIELDS", "Did you mean 'ITEM'?")),
    (2, "quarantine replay", ("'--reason'", "`./loyalty quarantine replay --help`")),
    (2, "connect jbdc", ("'jbdc'", "pyhive", "Did you mean 'jdbc'?")),
    (2, "sql --sample xyzzy", ("'xyzzy'", "there is best_customers,")),
    (2, "sql --sample sales_by_day --set dais=7", ("'dais'", "Did you mean 'days'?")),
    (2, "drill kills --only zookeeper", ("'zookeeper'", "--only takes one of: ")),
    # options without effect, or that exclude each other
    (2, "produce", ("--count N", "--duration SECONDS", "--from FILE")),
    (2, "produce --count 5 --duration 3", ("--duration", "leave --count")),
    (2, "produce --count 5 --from RECEIPTS", ("--from", "leave --count")),
    (2, "produce --count 5 --dry-run --json", ("--dry-run", "leave --json")),
    (2, "up --empty --rate 5/s", ("--empty", "leave one out")),
    (2, "up --empty --history 5", ("--empty", "--history", "leave one out")),
    (2, "sql --set days=7", ("--sample NAME", "`./loyalty sql --samples`")),
    (2, "sql --sample sales_by_day --set days", ("NAME=VALUE", "'days'", "--set days=7")),
    (2, "sql --sample best_customers --samples", ("one of these", "--sample NAME")),
    (2, "drill soak --only kafka", ("--only", "leave it out")),
    (2, "drill hostile --rate 5", ("--rate", "leave it out")),
    (2, "verify --answer-key FILE --from 2026-11-01", ("--answer-key", "leave --from")),
    (2, "sql select1 --csv --json", ("--csv", "--json")),
    # files
    (2, "replay NONE", ("none.csv", "does not exist", "`./loyalty replay --help`")),
    (2, "replay FOLDER", ("folder", "is a directory", "`./loyalty replay --help`")),
    (1, "replay EMPTY", ("empty.csv", "transaction_id")),
    (1, "replay FILE", ("file.csv", "transaction_id")),
    (1, "replay BINARY", ("binary.csv", "transaction_id")),
    (1, "replay RECEIPTS --products FILE", ("file.csv", "product_id")),
    (1, "replay RECEIPTS --rejected FILE", ("file.csv", "give --rejected another name")),
    (2, "customers load NONE", ("none.csv", "`./loyalty customers load --help`")),
    (2, "customers load FOLDER", ("folder", "`./loyalty customers load --help`")),
    (1, "customers load EMPTY", ("empty.csv", "customers stay as they are")),
    (1, "customers load FILE", ("file.csv", "3 columns", "customer_id")),
    (1, "customers load BINARY", ("binary.csv", "give the customers as a CSV file")),
    (2, "produce --from NONE", ("none.csv", "give a file, or -")),
    (2, "produce --from FOLDER", ("folder is a folder", "/* | ./loyalty produce --from -`")),
    (1, "produce --count 5 --out FILE/x", ("file.csv/x", "give another path")),
    (1, "produce --count 5 --answer-key FILE", ("file.csv", "answer key")),
    (1, "verify --answer-key NONE", ("none.csv", "`./loyalty produce --answer-key FILE`")),
    (2, "verify --answer-key FOLDER", ("folder", "`./loyalty verify --help`")),
    (2, "sql -f NONE", ("none.csv", "cannot be read")),
    (2, "sql -f FOLDER", ("folder", "cannot be read")),
    (2, "sql -f BINARY", ("binary.csv", "no UTF-8 text")),
    (2, "sql -f EMPTY", ("no statement", "give one in quotes")),
    (2, "restore NONE", ("none.csv", "does not exist", "`./loyalty restore --help`")),
    (2, "restore FILE", ("file.csv", "is a file", "`./loyalty restore --help`")),
    (1, "restore FOLDER", ("folder", "no backup.json", "give the folder of a `./loyalty backup`")),
    (1, "backup VAR/backup", ("var/backup", "lie one in the other", "give a folder elsewhere")),
    (1, "backup VAR", ("lie one in the other", "give a folder elsewhere")),
    (1, "restore FOLDER/..", ("lie one in the other", "or another LOYALTY_DATA")),
    # a stack that is down
    (1, "backup FOLDER/new", ("kafka, namenode, datanode, flume, streaming are", "`./loyalty up`")),
    (1, "orders 7", ("HBase", DOWN)),
    (1, "sql select1", ("HiveServer2", DOWN)),
    (1, "refresh", ("HDFS", DOWN)),
    (1, "quarantine", ("HDFS", DOWN)),
    (1, "quarantine replay --reason ITEM", ("HDFS", DOWN)),
    (1, "rebuild", ("HDFS", DOWN)),
    (1, "rebuild --repair", ("HDFS", DOWN)),
    (1, "verify", ("Kafka", DOWN)),
    (1, "customers load CUSTOMERS", ("HDFS", DOWN)),
]

SETTINGS: list[tuple[str, str, int, tuple[str, ...]]] = [
    ("KAFKA_PORT", "80", 2, ("LOYALTY_KAFKA_PORT", "1024", "Correct the environment or .env")),
    ("KAFKA_PORT", "many", 2, ("LOYALTY_KAFKA_PORT", "no whole number", "Correct the environment")),
    ("TRIGGER_SECONDS", "0", 2, ("LOYALTY_TRIGGER_SECONDS", "not more than 0", "Correct the env")),
    ("PARTITION_HOURS", "5", 2, ("LOYALTY_PARTITION_HOURS", "no divisor", "Correct the env")),
    ("TOPIC", "__x", 2, ("LOYALTY_TOPIC", "letters, digits", "Correct the environment")),
    ("TOPIC_RETENTION_DAYS", "3", 2, ("LOYALTY_LOG_RETENTION_DAYS", "more than", "Correct the")),
    ("DATA", "FILE", 2, ("LOYALTY_DATA", "has to be a folder", "Correct the environment")),
    ("DATA", "a b", 2, ("LOYALTY_DATA", "no spaces", "Correct the environment")),
    ("PROGRAMME", "NONE", 1, ("none.csv", "No such file", "restore it from git")),
    ("PROGRAMME", "FOLDER", 1, ("folder", "directory", "restore it from git")),
    ("PROGRAMME", "BINARY", 1, ("binary.csv", "no valid TOML", "correct that line")),
    ("PROGRAMME", "FILE", 1, ("file.csv", "no valid TOML", "correct that line")),
    ("PROGRAMME", "MARS", 1, ("'Mars/Base'", "no IANA time zone", "Correct them")),
]


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Make the files that the uses name; no server answers at the ports of the settings."""
    for name in [name for name in os.environ if name.startswith("LOYALTY_")]:
        monkeypatch.delenv(name)
    for name, value in describe(tmp_path / "var").settings.environment().items():
        monkeypatch.setenv(name, value)
    files = {name: tmp_path / f"{name.lower()}.csv" for name in (
        "NONE", "EMPTY", "FILE", "BINARY", "RECEIPTS", "CUSTOMERS", "MARS")}  # fmt: skip
    files["VAR"] = tmp_path / "var"
    files["FOLDER"] = tmp_path / "folder"
    files["FOLDER"].mkdir()
    files["EMPTY"].touch()
    files["FILE"].write_text("a,b,c\n1,2,3\n")
    files["BINARY"].write_bytes(b"\xff\xfe\0\n")
    files["RECEIPTS"].write_text(f"{HEADER}\n{row()}\n")
    files["CUSTOMERS"].write_text("1,2,a,b,2019-01-01,3,1980-01-01,F,1980\n")
    programme = (ROOT / "programme.toml").read_text()
    files["MARS"].write_text(programme.replace("America/New_York", "Mars/Base"))
    yield {name: str(path) for name, path in files.items()}
    assert not (tmp_path / "var").exists() or not list((tmp_path / "var").glob("orders-log/*.log"))


def assert_refused(arguments: list[str], code: int, expected: tuple[str, ...]) -> None:
    """Run a use; its end is this code and one sentence with these words, on stderr alone."""
    done = CliRunner().invoke(app, arguments, prog_name="./loyalty")
    assert (done.exit_code, done.stdout) == (code, ""), done.output
    *before, said = done.stderr.splitlines()
    assert said.startswith("error: ")
    assert said.endswith((".", "?")) or "`" in said
    assert not any("error" in line.lower() or "│" in line for line in before), done.stderr
    assert [word for word in expected if word not in said] == [], said


@pytest.mark.parametrize(("code", "use", "expected"), USES, ids=[use for _, use, _ in USES])
def test_a_wrong_use(words: dict[str, str], code: int, use: str, expected: tuple[str, ...]) -> None:
    given = []
    for word in use.split():
        head, slash, tail = word.partition("/")
        given.append(f"{words[head]}{slash}{tail}" if head in words else word)
    assert_refused(given, code, expected)


@pytest.mark.parametrize(("name", "value", "code", "expected"), SETTINGS)
def test_a_wrong_setting(
    words: dict[str, str], monkeypatch: pytest.MonkeyPatch, *,
    name: str, value: str, code: int, expected: tuple[str, ...],
) -> None:  # fmt: skip
    monkeypatch.setenv(f"LOYALTY_{name}", words.get(value, value))
    assert_refused(["status"], code, expected)


def test_an_empty_statement_and_two_of_them(words: dict[str, str]) -> None:
    assert_refused(["sql", ""], 2, ("no statement", "give one in quotes"))
    assert_refused(["sql", "select 1", "-f", words["FILE"]], 2, ("one of these", "-f FILE"))


def test_somebody_elses_data_folder(words: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "thesis.tex").touch()
    assert_refused(["up"], 1, ("no stamp of `up`", "set LOYALTY_DATA to a new or an empty folder"))
    assert_refused(["down", "--purge", "--yes"], 1, ("no stamp of `up`", "look at LOYALTY_DATA"))
    assert (tmp_path / "var" / "thesis.tex").exists()


def test_a_folder_of_another_time_zone(words: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    write_stamp(Settings(data=tmp_path / "var"), "Asia/Tokyo", "empty")
    assert_refused(["produce", "--count", "1"], 1, ("Asia/Tokyo", "put Asia/Tokyo back"))
    (tmp_path / "var" / "stamp.json").write_text("{")
    assert_refused(
        ["produce", "--count", "1"], 1, ("stamp.json is damaged", "another LOYALTY_DATA")
    )


def test_a_question_that_is_not_answered(words: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    write_stamp(Settings(data=tmp_path / "var"), "America/New_York", "empty")
    done = CliRunner().invoke(app, ["down", "--purge"], prog_name="./loyalty", input="n\n")
    assert done.exit_code == 1
    assert "error: The question was not answered with y" in done.stderr
    assert (tmp_path / "var").exists()


def test_what_commands_left_before_the_first_start_can_be_removed(
    words: dict[str, str], tmp_path: Path
) -> None:
    for arguments, shown in (([], "30s"), (["5/s", "--shape", "rush-hour"], "5/s, rush-hour"),
                             ([], "5/s, rush-hour")):  # fmt: skip
        done = CliRunner().invoke(app, ["rate", *arguments], prog_name="./loyalty")
        assert (done.exit_code, done.stdout.startswith(f"asked for {shown}")) == (0, True)
    assert (tmp_path / "var" / "producer").exists()
    done = CliRunner().invoke(app, ["down", "--purge", "--yes"], prog_name="./loyalty")
    assert done.exit_code == 0, done.stderr
    assert not (tmp_path / "var").exists()


def _ends(shell: str, folder: Path) -> tuple[int, str]:
    """Run `LOYALTY … REDIRECTION` in a shell; gives its code and what it said on stderr."""
    command = f"LOYALTY_DATA={folder} {shell}".replace("LOYALTY ", f"{sys.executable} -m pipeline ")
    done = subprocess.run(
        ["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stderr.strip()


@pytest.mark.parametrize(("shell", "says"), [
    ("LOYALTY down --purge <&-", "There is a question, and nobody can answer it"),
    ("LOYALTY --help > /dev/full", "The disk is full"),
    ("LOYALTY config > /dev/full", "The disk is full"),
    ("LOYALTY customers load <(echo 1)", "is a pipe; give a file, which can be read twice."),
])  # fmt: skip
def test_streams_that_are_no_files(tmp_path: Path, shell: str, says: str) -> None:
    (tmp_path / "var").mkdir()
    code, said = _ends(shell, tmp_path / "var")
    assert code == 1
    assert says in said
    assert "Traceback" not in said


def test_json_for_a_reader_that_has_left(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pipeline", "produce", "--count", "3", "--json"]
    command += ["--out", str(tmp_path / "out")]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert (process.wait(timeout=60), process.stderr.read()) == (0, b"")
