"""Byteman in a JVM of the stack: rules, in drill/points, that change it from outside."""

from pathlib import Path
from typing import Final

from cluster.jars import DRILL, check_jars, resolve_jars
from pipeline.progress import unseen
from pipeline.settings import ROOT

RULES: Final = ROOT / "drill" / "points"
NAMES: Final = tuple(sorted(path.stem for path in RULES.glob("*.btm")))


def environment(name: str, mark: Path, scratch: Path) -> dict[str, str]:
    """Give what makes a JVM keep the rules of that name; its mark is a file that they write.

    scratch: a folder for the rules with the mark's path in them. Fetches Byteman the first time.
    """
    jars = resolve_jars(unseen, DRILL)
    check_jars(jars)
    rules = scratch / f"{name}.btm"
    text = (RULES / f"{name}.btm").read_text(encoding="utf-8")
    rules.write_text(text.replace("@MARK@", str(mark)), encoding="utf-8")
    (jar,) = jars["drill"].glob("byteman-*.jar")
    return {"JDK_JAVA_OPTIONS": f"-javaagent:{jar}=script:{rules}"}
