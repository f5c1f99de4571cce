"""What a sentence tells one to type: `./loyalty …` natively, in a container what Docker takes."""

import os
import re
from typing import Final

CONTAINERS: Final = "LOYALTY_CONTAINERS"
_INSTEAD: Final = (
    (re.compile(r"\./loyalty down --purge"), "docker compose down -v"),
    (re.compile(r"\./loyalty down\b"), "docker compose down"),
    (re.compile(r"\./loyalty up\b"), "docker compose up -d --wait"),
    (re.compile(r"\./loyalty logs (?=\w)"), "docker compose logs "),
    (re.compile(r"\./loyalty (?!--compose)"), "./loyalty --compose "),
    (re.compile(r"another LOYALTY_DATA"), "another COMPOSE_PROJECT_NAME"),
    # where the launcher has put a file of the host for as long as its command runs
    (re.compile(r"/data/incoming/[0-9-]+/[0-9]+/"), ""),
)


def as_typed_here(text: str) -> str:
    """Give a text with the commands that work where this process runs."""
    if os.environ.get(CONTAINERS) not in {"1", "true"}:
        return text
    for native, docker in _INSTEAD:
        text = native.sub(docker, text)
    return text
