"""What the shells offer after TAB: commands, options, and the values that are known before.

It answers in some hundredths of a second, so nothing is imported here that takes longer: the tree
of the commands is kept in the user's cache, and made anew when a file changes that it is made of.
"""

import hashlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
MADE_FROM: Final = (
    "pipeline/*.py", "pipeline/commands/*.py", "hive/samples/*.sql", "drill/*.py",
    "cluster/component.py", "cluster/*/component.toml", "*/component.toml",
)  # fmt: skip

Node = dict[str, Any]
"""help; commands: name -> node; options: `--name` -> {help, takes, values}; arguments: their
values, in order. Values are lists of words, [] where it may be anything."""


def main(words: list[str]) -> None:
    """Print what the last word may become, one a line, as the asking shell reads it."""
    between = {"zsh": ":", "fish": "\t"}.get(os.environ["_LOYALTY_COMPLETE"])
    for value, says in offers(read_tree(), words[:-1], words[-1] if words else ""):
        text = value.replace(":", "\\:") if between == ":" else value
        print(f"{text}{between}{says}" if between and says else text)


def offers(tree: Node, words: list[str], last: str) -> list[tuple[str, str]]:
    """Give what `last` may become after these words, each with what the help says of it."""
    node, place, asked = tree, 0, None
    for word in words:
        if word == "=":  # bash makes a word of it: --reason = ITEM
            continue
        if asked is not None:
            asked = None
        elif word.startswith("-"):
            option = node["options"].get(word)
            asked = option["values"] if option and option["takes"] else None
        elif word in node["commands"]:
            node, place = node["commands"][word], 0
        elif node["commands"]:
            return []
        else:
            place += 1
    name, is_given, _ = last.partition("=")
    if asked is not None:
        found, last = dict.fromkeys(asked, ""), "" if last == "=" else last
    elif is_given and name in node["options"]:
        found = {f"{name}={one}": "" for one in node["options"][name]["values"]}
    elif last.startswith("-"):
        found = {option: about["help"] for option, about in node["options"].items()}
    else:
        found = {command: below["help"] for command, below in node["commands"].items()}
        found |= dict.fromkeys(
            node["arguments"][place] if place < len(node["arguments"]) else [], ""
        )
    return [(one, says) for one, says in found.items() if one.startswith(last)]


def read_tree() -> Node:
    """Give the tree of the commands, from the cache where it is of today's files."""
    of = hashlib.sha256(str(ROOT).encode())
    base = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "loyalty"
    file = base / f"completion-{of.hexdigest()[:12]}.json"
    for pattern in MADE_FROM:
        for path in sorted(ROOT.glob(pattern)):
            of.update(f"{path} {path.stat().st_mtime_ns}".encode())
    try:
        kept = json.loads(file.read_bytes())
        if kept["made_from"] == of.hexdigest():
            return dict(kept["tree"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # it is made anew
    tree = make_tree()
    try:
        base.mkdir(parents=True, exist_ok=True)
        new = file.with_suffix(f".{os.getpid()}")
        new.write_text(json.dumps({"made_from": of.hexdigest(), "tree": tree}), encoding="utf-8")
        new.replace(file)
    except OSError:
        print("completion is slow: the cache cannot be written", file=sys.stderr)
    return tree


def make_tree() -> Node:
    """Make the tree out of the command line itself; this takes a second."""
    from typer.main import get_command

    from pipeline.cli import app

    return _node(get_command(app), "")


def _node(command: Any, path: str) -> Node:
    options: dict[str, Any] = {"--help": {"help": "Show this help.", "takes": False, "values": []}}
    arguments = []
    for parameter in command.params:
        values = _values(parameter, path)
        if parameter.param_type_name == "argument":
            arguments.append(values)
        elif not parameter.hidden:
            takes = not parameter.is_flag
            about = {"help": _short(parameter.help), "takes": takes, "values": values}
            options |= dict.fromkeys(parameter.opts, about)
    below = getattr(command, "commands", {})
    return {
        "help": _short(command.help),
        "options": options,
        "arguments": arguments,
        "commands": {n: _node(c, f"{path} {n}".strip()) for n, c in below.items() if not c.hidden},
    }


def _short(text: str | None) -> str:
    """Give the first sentence of a help text."""
    return " ".join((text or "").partition("\n\n")[0].split()).partition(". ")[0]


def _values(parameter: Any, path: str) -> list[str]:
    source = SOURCES.get(f"{path} {max(parameter.opts, key=len)}")
    if source is not None:
        return list(source())
    return [str(getattr(c, "value", c)) for c in parameter.type_descriptor.choices or ()]


def _components() -> list[str]:
    from cluster.component import read_components

    return list(read_components())


def _reasons() -> tuple[str, ...]:
    from pipeline.order import REASONS

    return tuple(REASONS)


def _samples() -> list[str]:
    from hive.sample import sample_names

    return sample_names()


def _broken() -> list[str]:
    from drill.course import DRILLS

    return list(dict.fromkeys(name for drill in DRILLS.values() for name in drill.components))


def _tools() -> list[str]:
    from pipeline.clients import clients
    from pipeline.settings import Settings

    return list(clients(Settings.model_construct()))


SOURCES: Final[dict[str, Callable[[], Any]]] = {
    "logs component": _components,
    "drill --only": _broken,
    "quarantine replay --reason": _reasons,
    "sql --sample": _samples,
    "connect tool": _tools,
    "rate word": lambda: ("pause", "resume", "max", "30s", "5/s"),
}
"""Values that no type tells, by command and parameter."""
