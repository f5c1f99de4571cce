"""What is wrong with settings, in sentences: single ones, and those that do not go together."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from pipeline.addresses import EMBEDDED, LOCAL
from pipeline.variables import PREFIX, variable_of

if TYPE_CHECKING:
    from pipeline.settings import Settings

Case = tuple[set[str], str]
"""The variables that do not go together, and the sentence on them."""


class Contradiction(ValueError):
    """Settings that are right for themselves and do not go together."""

    def __init__(self, cases: list[Case]) -> None:
        super().__init__("; ".join(sentence for _, sentence in cases))
        self.cases = cases


def refuse_contradictions(settings: "Settings") -> None:
    """Raise Contradiction where settings do not go together, with every case."""
    cases = [*_retention(settings), *_ports(settings), *_given(settings)]
    if cases:
        raise Contradiction(cases)


def _retention(settings: "Settings") -> Iterator[Case]:
    if settings.topic_retention_days <= settings.log_retention_days:
        topic, log = "LOYALTY_TOPIC_RETENTION_DAYS", "LOYALTY_LOG_RETENTION_DAYS"
        yield (
            {topic, log},
            (
                f"{topic} ({settings.topic_retention_days}) has to be more than "
                f"{log} ({settings.log_retention_days})"
            ),
        )

    raw = "LOYALTY_RAW_RETENTION_DAYS"
    if 0 < settings.raw_retention_days <= settings.topic_retention_days:
        topic = "LOYALTY_TOPIC_RETENTION_DAYS"
        yield (
            {raw, topic},
            (
                f"{raw} ({settings.raw_retention_days}) has to be 0, for ever, or more than "
                f"{topic} ({settings.topic_retention_days})"
            ),
        )


def _ports(settings: "Settings") -> Iterator[Case]:
    taken: dict[int, str] = {}
    for name in (name for name in type(settings).model_fields if name.endswith("_port")):
        port = getattr(settings, name)
        if settings.containers and port == settings.kafka_inner_port:
            mine = variable_of(name)
            yield {mine}, f"{mine} is {port}, where our broker listens for the other containers"
        if port in taken:
            first, second = (variable_of(n) for n in (taken[port], name))
            yield {first, second}, f"{first} and {second} are both {port}"
        taken[port] = name


def _given(settings: "Settings") -> Iterator[Case]:
    for first, second in (("given_hdfs", "given_webhdfs"), ("given_hbase", "given_zookeeper")):
        if (getattr(settings, first) == EMBEDDED) != (getattr(settings, second) == EMBEDDED):
            one, other = variable_of(first), variable_of(second)
            yield {one, other}, f"{one} and {other} are of one server: set both, or neither"
    is_far = settings.given_hive != EMBEDDED and settings.hive.host not in LOCAL
    if is_far and settings.given_hdfs == EMBEDDED:
        yield (
            {"LOYALTY_HIVE", "LOYALTY_HDFS"},
            (
                f"LOYALTY_HIVE ({settings.given_hive}) is on another machine and cannot read our "
                "own HDFS, which is on loopback; set LOYALTY_HDFS too"
            ),
        )


_SAYS: Final = {
    "int_parsing": "is no whole number",
    "int_from_float": "is no whole number",
    "int_type": "is no whole number",
    "float_parsing": "is no number",
    "float_type": "is no number",
    "finite_number": "is no number",
    "bool_parsing": "is neither true nor false",
    "greater_than_equal": "is less than {ge}",
    "greater_than": "is not more than {gt}",
    "less_than_equal": "is more than {le}",
    "less_than": "is not less than {lt}",
    "literal_error": "has to be {expected}",
    "missing": "is missing",
    "extra_forbidden": "is not known",
}
"""By Pydantic's type of an error; its own words are a programmer's."""


def in_words(error: ErrorDetails) -> str:
    """Say what is wrong with a value, after its name."""
    if error["type"] in _SAYS:
        return _SAYS[error["type"]].format_map(error.get("ctx", {}))
    return error["msg"].removeprefix("Value error, ")


def describe(
    error: ValidationError, model: "type[Settings]", defaults: Mapping[str, Any]
) -> list[str]:
    """Say everything that is wrong. (Pydantic compares nothing before each field is right: so the
    wrong ones get their defaults, by variable, and what does not go together without them is told.)
    """
    wrong: dict[str, str] = {}
    found = []
    for one in error.errors():
        what = in_words(one)
        if one["loc"]:
            key = str(one["loc"][0])
            name = PREFIX + key.upper().removeprefix(PREFIX)
            wrong[name] = key
            what = f"{name} {what} (got {str(one['input'])!r})"
        found.append(what)
    if wrong:
        try:
            model(**{key: defaults[name] for name, key in wrong.items()})
        except ValidationError as again:
            for cause in (one.get("ctx", {}).get("error") for one in again.errors()):
                if isinstance(cause, Contradiction):
                    found += [says for names, says in cause.cases if not names & wrong.keys()]
    return found
