"""What a command prints: results on stdout, everything else on stderr, colour on terminals only."""

import json
from typing import Any, Final

from rich.console import Console


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to pipeline/cli.py, as with every other output: Rich would exit with 1."""
        raise BrokenPipeError


out: Final = _Console(soft_wrap=True, highlight=False)
err: Final = _Console(stderr=True, highlight=False)


def print_json(document: Any) -> None:
    """Print one JSON document on stdout; decimals and dates become strings."""
    print(json.dumps(document, ensure_ascii=False, indent=2, default=str))
