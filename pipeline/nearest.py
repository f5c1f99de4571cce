"""The known word that a misspelt one is most like, in the words of Typer's own refusals."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

ALIKE_AS_A_WHOLE: Final = 0.8
"""Words with a common beginning are alike only from this ratio on, where that is compared too."""


def nearest(word: str, known: Iterable[str], common: str = "") -> str:
    """Give ` Did you mean 'kafka'?` where a known word is like this one, else nothing.

    common: how all known words begin, which makes no two of them alike.
    """
    whole = {name.lower(): name for name in known}
    rest = {name.removeprefix(common.lower()): name for name in whole}
    found = [rest[one] for one in get_close_matches(
        word.lower().removeprefix(common.lower()), rest, n=1)]  # fmt: skip
    # the beginning itself may be what is misspelt
    found = found or get_close_matches(word.lower(), whole, n=1, cutoff=ALIKE_AS_A_WHOLE)
    return f" Did you mean {whole[found[0]]!r}?" if found else ""
