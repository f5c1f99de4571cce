"""The options that `up`, `rate` and `produce` share: what invented orders are like."""

from typing import Annotated, Literal

import typer

Shape = Annotated[
    Literal["constant", "rush-hour"] | None,
    typer.Option(
        help="constant: evenly. rush-hour: a morning and a noon peak, few at night, in"
        " programme time; some members come often, most seldom."
    ),
]
Refunds = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        help="Share of orders that are refunds, with redemptions at most 0.5; rush-hour brings"
        " 0.03.",
    ),
]
Redemptions = Annotated[
    float | None,
    typer.Option(metavar="SHARE", help="Share of orders that spend points; rush-hour brings 0.02."),
]
