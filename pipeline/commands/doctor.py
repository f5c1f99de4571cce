"""`doctor`: everything that could be wrong is looked at, each finding with its fix."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from pipeline.console import out, print_json
from pipeline.endings import leaving
from pipeline.progress import working
from pipeline.wording import as_typed_here

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.text import Text

    from cluster.diagnosis import Check

WORD_COLUMNS: Final = 7


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Look at machine, settings, data folder and every component; name each fault with its fix.

    It asks anew and changes nothing; the stack may run or not. Exit code 1 where something is
    wrong. --json gives ok, and checks: subject, ok (null: not to be seen now), saw, fix.

    Example: ./loyalty doctor
    """
    from dataclasses import asdict

    from cluster.doctor import examine

    with leaving(), working("looking"):
        checks = examine()
    wrong = [check for check in checks if check.ok is False]
    if as_json:
        print_json({"ok": not wrong, "checks": [asdict(check) for check in checks]})
    else:
        for line in draw(checks, out.width if out.is_terminal else None):
            out.print(line)
        found = f"wrong: {len(wrong)} of {len(checks)}" if wrong else "nothing is wrong"
        out.print(f"[{'red' if wrong else 'green'}]{found}[/]")
    if wrong:
        raise typer.Exit(1)


def draw(checks: "Sequence[Check]", width: int | None) -> "Iterator[Text]":
    """Give the lines: a check each, and its fix below what is wrong; folded where there is a
    width, else nothing is, so that what is piped can be searched.
    """
    from rich.text import Text

    words = {True: ("ok", "green"), False: ("wrong", "red"), None: ("-", "dim")}
    subjects = max((len(check.subject) for check in checks), default=0)
    margin = WORD_COLUMNS + subjects + 2
    for check in checks:
        word, colour = words[check.ok]
        first, *rest = _folded(as_typed_here(check.saw), width and width - margin)
        yield Text.assemble((word.ljust(WORD_COLUMNS), colour), f"{check.subject:<{subjects}}  ",
                            first)  # fmt: skip
        rest += (
            _folded(as_typed_here(f"fix: {check.fix}"), width and width - margin)
            if check.fix
            else []
        )
        yield from (Text(" " * margin + line) for line in rest)


def _folded(text: str, width: int | None) -> list[str]:
    if not width:
        return [text]
    from textwrap import wrap

    return wrap(text, max(width, 20), break_long_words=False, break_on_hyphens=False) or [""]
