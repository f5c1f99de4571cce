"""The prompt of `sql` without Hive: what is sent and what is not, history, completion."""

import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from drill.stack import free_ports
from hive.prompt import Names, make_prompt, open_history, texts
from hive.session import connect
from pipeline.errors import Unavailable

ENTER, CTRL_C, CTRL_D = "\r", "\x03", "\x04"


@pytest.fixture
def keyboard() -> Iterator[PipeInput]:
    with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
        yield pipe


@pytest.fixture
def nobody() -> Names:
    """Give names of a Hive that is not there."""
    (port,) = free_ports(1)
    return Names(partial(connect, "127.0.0.1", port, timeout=5))


def typed(keyboard: PipeInput, nobody: Names, *keys: str) -> list[str]:
    """Press keys, and give what the prompt sends until it is left."""
    keyboard.send_text("".join(keys))
    return list(texts(make_prompt(InMemoryHistory(), nobody)))


def test_a_statement_goes_on_until_its_end(keyboard: PipeInput, nobody: Names) -> None:
    sent = typed(keyboard, nobody, "select ';'", ENTER, "-- ;", ENTER, ", 1;", ENTER, CTRL_D)
    assert sent == ["select ';'\n-- ;\n, 1;"]


def test_several_statements_are_sent_at_once(keyboard: PipeInput, nobody: Names) -> None:
    assert typed(keyboard, nobody, "a; b;", ENTER, "c;", ENTER, CTRL_D) == ["a; b;", "c;"]


def test_ctrl_c_drops_what_is_typed(keyboard: PipeInput, nobody: Names) -> None:
    sent = typed(keyboard, nobody, "drop", ENTER, "table x", CTRL_C, "y;", ENTER, CTRL_D)
    assert sent == ["y;"]


@pytest.mark.parametrize("word", ["exit", "quit;", " EXIT ; "])
def test_a_word_leaves_too(keyboard: PipeInput, nobody: Names, word: str) -> None:
    assert typed(keyboard, nobody, "a;", ENTER, word, ENTER) == ["a;"]


def test_without_hive_the_key_words_are_completed(nobody: Names) -> None:
    typed = Document("select * from t where odr_dt betw")
    assert [c.text for c in nobody.get_completions(typed, CompleteEvent())] == ["BETWEEN"]


def test_the_history_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "history"
    open_history(path).append_string("select 1;")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(open_history(path).load_history_strings()) == ["select 1;"]
    path.chmod(0o644)
    open_history(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_without_a_data_folder_nothing_is_kept(tmp_path: Path) -> None:
    open_history(tmp_path / "none" / "history").append_string("select 1;")
    assert list(tmp_path.iterdir()) == []


def test_nobody_is_there(nobody: Names) -> None:
    with pytest.raises(Unavailable):
        nobody.ask()
