"""The rules of the house that a machine can check, over every file that git knows."""

import ast
import importlib
import re
import subprocess
import tomllib
from itertools import count
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pipeline.settings import ROOT

PACKAGES = (
    "pipeline",
    "producer",
    "flume",
    "streaming",
    "batch",
    "hive",
    "hbase",
    "cluster",
    "backup",
    "drill",
)
SECTIONS = ("Context", "Decision", "What else was on the table", "Consequences", "How to check it")
MAX_LINES = 300

# The patterns are put together from pieces, so that this file does not match itself.
FOLDERS = ("home", "root", "Users", "work", "mnt", "opt", "srv", "tmp", "usr/lib", "usr/local")
MACHINE_PATH = re.compile(r"(?<![\w.$}~*:-])/(?:" + "|".join(FOLDERS) + r")/\w")
HOSTS = ("pypi|org", "pythonhosted|org", "maven|org", "maven|apache|org", "repo|apache|org",
         "npmjs|org", "docker|io", "ghcr|io", "quay|io", "golang|org", "crates|io", "debian|org",
         "artifactory", "nexus")  # fmt: skip
REGISTRY = re.compile(
    r"https?://[^\s\"'<>]*(?:" + "|".join(host.replace("|", r"\.") for host in HOSTS) + ")"
    r"|--(?:extra-)?index-url[ =]\S*" + r"://",
    re.IGNORECASE,
)
# an XML namespace is a name, and nobody opens it
NAMESPACES = re.compile(r"\bxmlns(?::\w+)?=\"[^\"]*\"|\bxsi:schemaLocation=\"[^\"]*\"")
SECRET = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE" + r" KEY"
    r"|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{30,}|\bxox[abpr]-[A-Za-z0-9-]{10,}"
    r"|(?:password|passwd|secret|token|api_?key)\"?\s*[=:]\s*[\"'][^\"'\s{}$<>]{8,}[\"']"
    r"|(?:password|secret)</name>\s*<value>[^{<\s]",
    re.IGNORECASE,
)


def _files(*patterns: str) -> list[Path]:
    """List what git tracks."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", *patterns]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def _matches(pattern: re.Pattern[str], ignored: re.Pattern[str] | None = None) -> list[str]:
    """Give `file:line: text` of every match in a tracked text file."""
    found = []
    for path in _files():
        text = path.read_bytes().decode("utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), 1):
            if pattern.search(ignored.sub("", line) if ignored else line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}")
    return found


def _locked() -> dict[str, str]:
    """Give the lock's packages with their versions."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pins = re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==(\S+)", text, re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pins}


@pytest.mark.parametrize("package", PACKAGES)
def test_package_is_the_checkouts(package: str) -> None:
    """A foreign `streaming` on the path would run instead of ours."""
    file = importlib.import_module(package).__file__
    assert file is not None
    assert Path(file) == ROOT / package / "__init__.py"


def test_no_machine_path() -> None:
    assert _matches(MACHINE_PATH) == []


def test_no_registry_host() -> None:
    assert _matches(REGISTRY, NAMESPACES) == []


def test_no_secret() -> None:
    assert _matches(SECRET) == []


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (MACHINE_PATH, "cd /ho" + "me/ada/loyalty"),
        (MACHINE_PATH, 'jars = "/us' + 'r/lib/jvm/17"'),
        (REGISTRY, "https:" + "//files.pythonhosted.org/x"),
        (REGISTRY, "--index-url https:" + "//example.test"),
        (SECRET, 'password = "' + 'hunter2hunter2"'),
        (SECRET, "<name>x.ConnectionPassword</name><val" + "ue>mine</value>"),
        (SECRET, "-----BEGIN RSA PRIVATE" + " KEY-----"),
    ],
)
def test_patterns_find_what_they_are_for(pattern: re.Pattern[str], text: str) -> None:
    assert pattern.search(text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (MACHINE_PATH, "#!/usr/bin/env bash"),
        (MACHINE_PATH, "hdfs dfs -ls /data/raw/orders"),
        (MACHINE_PATH, "docs/work/plan"),
        (SECRET, "password = make_secret(places)"),
        (SECRET, "<name>x.ConnectionPassword</name><value>{{ secret }}</value>"),
    ],
)
def test_patterns_leave_the_rest(pattern: re.Pattern[str], text: str) -> None:
    assert not pattern.search(text)


def test_lock_has_hashes_and_no_address() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index-url" not in text
    entries = re.split(r"^(?=[\w])", text, flags=re.MULTILINE)[1:]
    assert len(entries) == len(_locked())
    bare = [e.split()[0] for e in entries if not re.search(r"--hash=sha256:[0-9a-f]{64}\b", e)]
    assert bare == []


def test_lock_is_pyprojects() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [Requirement(text) for text in project["dependencies"]]
    wanted += [
        Requirement(text) for extra in project["optional-dependencies"].values() for text in extra
    ]
    locked = _locked()
    missing = [r.name for r in wanted if canonicalize_name(r.name) not in locked]
    assert missing == []
    other = [str(r) for r in wanted if not r.specifier.contains(locked[canonicalize_name(r.name)])]
    assert other == []


def test_decisions_are_numbered_in_sequence() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert pages
    for number, page in zip(count(1), pages, strict=False):
        assert re.fullmatch(rf"{number:04d}-[a-z0-9-]+\.md", page.name)
        text = page.read_text(encoding="utf-8")
        assert text.startswith(f"# {number}. "), page.name
        assert tuple(re.findall(r"^## (.+)$", text, re.MULTILINE)) == SECTIONS, page.name


def test_every_module_says_what_it_is() -> None:
    silent = []
    for path in _files("*.py"):
        module = ast.parse(path.read_text(encoding="utf-8"))
        if module.body and not ast.get_docstring(module):  # an empty __init__.py says nothing
            silent.append(str(path.relative_to(ROOT)))
    assert silent == []


def test_no_module_is_long() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in _files("*.py")
    }
    assert {name: lines for name, lines in lengths.items() if lines > MAX_LINES} == {}
