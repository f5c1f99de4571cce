"""The systemd unit means this very stack."""

import configparser
import os

import pytest

from cluster.shutdown import ORDER
from cluster.supervision import DEFAULT_STOP_SECONDS, STOP_SECONDS
from cluster.unit import STOP_SECONDS as UNIT_SECONDS
from cluster.unit import write_unit
from pipeline.settings import ROOT

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "LOYALTY_DATA": '/da ta/100% "$x"\\',
    "LOYALTY_TOPIC": "",
    "HOME": "mine",
}


def read(text: str) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    return parser


@pytest.mark.parametrize("of_user", [True, False])
def test_it_starts_and_stops_the_stack_of_this_shell(of_user: bool) -> None:
    text = write_unit(ENVIRONMENT, of_user=of_user)
    unit = read(text)
    service = dict(unit["Service"])
    assert (service["Type"], service["RemainAfterExit"]) == ("oneshot", "yes")
    assert service["ExecStart"] == f'"{ROOT / "loyalty"}" up'
    assert service["ExecStop"] == f'"{ROOT / "loyalty"}" down'
    assert ("User" in service) != of_user
    assert unit["Install"]["WantedBy"] == ("default.target" if of_user else "multi-user.target")
    assert 'Environment="LOYALTY_DATA=/da ta/100%% \\"$x\\"\\\\"' in text
    assert "HOME" not in text
    assert "LOYALTY_TOPIC" not in text
    longest = sum(max(STOP_SECONDS.get(n, DEFAULT_STOP_SECONDS) for n in group) for group in ORDER)
    assert longest < UNIT_SECONDS <= int(service["TimeoutStopSec"])
