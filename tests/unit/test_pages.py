"""The commands that README.md and the pages of docs/ name are there, with the options named."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from pipeline.cli import app
from pipeline.settings import ROOT

PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
_NAMED = re.compile(r"\./loyalty(?: --compose)?((?: +[^\s`|&;>()]+)*)")


def named(page: Path) -> Iterator[list[str]]:
    """Give the words after each `./loyalty` of a page, quoted arguments cut."""
    for line in page.read_text(encoding="utf-8").splitlines():
        for found in _NAMED.finditer(line):
            yield [re.sub(r"[.,:]$", "", word) for word in found[1].split()]


def fault(words: list[str]) -> str:
    """Tell which word is no command, or no option of it; empty where all are."""
    command: Any = typer.main.get_command(app)
    for word in words:
        if word.startswith(("'", '"')):
            break
        if word.startswith("--"):
            options = {name for one in command.params for name in one.opts} | {"--help"}
            if word.partition("=")[0].partition("|")[0] not in options:
                return f"{command.name} has no {word}"
        elif hasattr(command, "commands") and re.fullmatch(r"[a-z-]+", word):
            if word not in command.commands:
                return f"{command.name} has no {word}"
            command = command.commands[word]
    return ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_command_of_a_page_is_there(page: Path) -> None:
    assert [said for words in named(page) if (said := fault(words))] == []


def test_operations_has_a_command_for_each_part_of_everyday_life() -> None:
    first = {words[0] for words in named(ROOT / "docs" / "operations.md") if words}
    assert {"doctor", "connect", "retention", "backup", "restore", "unit", "refreshes"} <= first


def test_a_misspelt_command_or_option_is_found() -> None:
    assert fault(["refersh"])
    assert fault(["verify", "--wiat"])
    assert not fault(["quarantine", "replay", "--reason", "ITEM"])


def test_readme_begins_with_what_it_is_its_picture_and_two_commands() -> None:
    head = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:60]
    assert head[0].startswith("# ")
    assert {"./loyalty up", "docker compose up -d --wait"} <= {
        line.partition("#")[0].strip() for line in head
    }
    assert any(line.startswith("path ") for line in head), "the picture of `status`"
