"""README.md's session: how it is compared, and that its own figures agree."""

import re

import pytest

from tests.readme_page import labels, session, shape

ROW = "2026-11-24 11:26:34  demo-f8169b3fa585-1      3     1  SALE   mocha         1   80.00"


@pytest.mark.parametrize(
    ("other", "is_alike"),
    [
        (ROW.replace("80.00", "1,280.00").replace("11:26", "07:01"), True),
        (ROW.replace("demo-", "history-").replace("mocha", "latte"), True),
        (f"{ROW}\n{ROW.replace('-1  ', '-2  ')}", True),
        (ROW.replace("SALE", "SALES"), False),
        (ROW.replace("demo-", ""), False),
        ("", False),
    ],
)
def test_outputs_are_alike_but_for_what_differs_from_run_to_run(other: str, is_alike: bool) -> None:
    assert (shape(other) == shape(ROW)) is is_alike


def test_an_unknown_session_is_none() -> None:
    with pytest.raises(AssertionError, match="has no session"):
        session("nowhere")


def test_what_comes_after_an_hour_makes_no_other_screen() -> None:
    screen = (
        "disk        log\nnow         11M\na day       +2M\n\nopen        t\nrefresh     3 min ago"
    )
    assert labels(screen) == ["disk", "now", "", "refresh"]


def test_the_pages_figures_agree() -> None:
    """It was made by one run, in which the thirty days of orders are."""
    shown = {one.command: one.output for one in session("demo")}
    verified = shown["./loyalty verify --wait"]
    lines = [int(n.replace(",", "")) for n in re.findall(r"all +([\d,]+)", verified)]
    assert len(lines) == 5
    assert len(set(lines)) == 1
    assert lines[0] > 4_000
    assert f"{lines[0]:,} lines = " in verified
