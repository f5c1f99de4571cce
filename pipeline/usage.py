"""Wrong usage as one sentence: what Typer found, the nearest right word, and where to look."""

import re
from typing import Any, Final

from typer.exceptions import TyperException

from pipeline.nearest import nearest

_DEMANDS: Final = {
    "greater_than_equal": "has to be at least {ge:,}",
    "less_than_equal": "has to be at most {le:,}",
    "int_parsing": "has to be a whole number",
    "int_from_float": "has to be a whole number",
    "float_parsing": "has to be a number",
}
"""What a value has to be, by the name of pydantic's error, which Typer reads values with."""


def usage_sentence(error: TyperException, path: str) -> str:
    """Give the sentence of an error of Typer's: of an option, a value, a command; empty where the
    help was printed instead. path: the command, where the error does not know it.
    """
    context = getattr(error, "ctx", None)
    path = context.command_path if context else path
    message = error.format_message()
    if not message:
        return ""
    if hasattr(error, "possibilities"):
        option = getattr(error, "option_name", "")
        what = f"`{path}` has no option {option}.{nearest(option, error.possibilities or ())}"
    elif value := _wrong_value(error):
        what = value
    else:
        what = _plain(message)
    return f"{what} See `{path} --help`."


def _wrong_value(error: TyperException) -> str:
    """Say what is wrong with a value; empty where this error is of another kind."""
    faults: list[dict[str, Any]] = getattr(error.__cause__, "errors", list)()
    parameter = getattr(error, "param", None)
    if not faults or parameter is None:
        return ""
    name, fault = _name(parameter), faults[0]
    demand = _DEMANDS.get(fault["type"])
    if demand:
        return f"{name} {demand.format(**fault.get('ctx', {}))}, and {fault['input']!r} is not."
    reason = str(fault["msg"]).removeprefix("Value error, ")
    return f"{name}: {_plain(reason)}{nearest(str(fault['input']), _choices(parameter))}"


def _name(parameter: Any) -> str:
    """Give an option as it is written, an argument as the help writes it."""
    if parameter.param_type_name == "option":
        return str(max(parameter.opts, key=len))
    return str(parameter.metavar or parameter.name).upper()


def _choices(parameter: Any) -> list[str]:
    """List what an option takes, whether its type is an Enum or a Literal."""
    return [
        str(getattr(choice, "value", choice)) for choice in parameter.type_descriptor.choices or ()
    ]


def _plain(message: str) -> str:
    """Put Typer's message on one line, and its list of choices into the sentence."""
    head, _, choices = message.partition(" Choose from:\n\t")
    text = re.sub(r"\s+", " ", head).strip()
    if choices:
        names = re.sub(r"\s+", " ", choices).strip()
        text = f"{text.rstrip('.')}: one of {names}"
    return text if text.endswith((".", "?", "!")) else f"{text}."
