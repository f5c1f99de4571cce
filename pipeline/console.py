"""What a command prints: results on stdout, everything else on stderr, colour on terminals only."""

import json
import os
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from pipeline.wording import as_typed_here


def is_plain() -> bool:
    """Tell whether no escape sequence may go out, whatever we write to: NO_COLOR, TERM=dumb."""
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") in {"dumb", "unknown"}


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to pipeline/endings.py, as with every other output: Rich would exit with 1."""
        raise BrokenPipeError

    def print(self, *objects: Any, **options: Any) -> None:
        """Print, with the commands that work here."""
        super().print(*(as_typed_here(o) if isinstance(o, str) else o for o in objects), **options)


# Rich leaves bold and dim in where NO_COLOR is set: without a colour system nothing is left. The
# help is printed by a console of Typer's own
if is_plain():
    os.environ["_TYPER_FORCE_DISABLE_TERMINAL"] = "1"
_SYSTEM: Final = None if is_plain() else "auto"
out: Final = _Console(soft_wrap=True, highlight=False, color_system=_SYSTEM)
err: Final = _Console(stderr=True, highlight=False, color_system=_SYSTEM)


def print_json(document: Any) -> None:
    """Print one JSON document on stdout; decimals and dates become strings."""
    print(json.dumps(document, ensure_ascii=False, indent=2, default=str))


def say_error(sentence: str) -> None:
    """Print the sentence of an error on stderr."""
    err.print("[red]error:[/red]", Text(as_typed_here(sentence)), soft_wrap=True)
