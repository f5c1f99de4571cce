"""Java classes of our own, before a server's or beside them: compiled once, cached for the user.

Their sources are in the folder java/ beside the pom. The compiled ones are beside the jars in
the cache, in a folder that is named by what they were made from.
"""

import hashlib
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from cluster.component import folder_of
from cluster.jars import cache_folder, jar_folders
from pipeline.errors import LoyaltyError

OPTIONS: Final = ("--release", "17", "-encoding", "UTF-8", "-proc:none", "-nowarn")


def _sources(module: str) -> dict[str, Path]:
    """Give a module's Java files by their names below its folder java/."""
    folder = folder_of(module) / "java"
    return {p.relative_to(folder).as_posix(): p for p in sorted(folder.rglob("*.java"))}


def class_folder(module: str) -> Path:
    """Give the folder of a module's classes; its name changes with sources, jars and options."""
    made_from = hashlib.sha256(repr(OPTIONS).encode())
    made_from.update((folder_of(module) / "jars.sha256").read_bytes())
    for name, path in _sources(module).items():
        made_from.update(f"\n{name}\n".encode() + path.read_bytes())
    return cache_folder() / f"{module}-classes-{made_from.hexdigest()[:12]}"


def compile_classes(module: str, jars: Path) -> Path:
    """Compile a module's classes against its jars, unless that was done, and give their folder.

    Raises LoyaltyError when there is no javac, or with its first error.
    """
    target = class_folder(module)
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".javac-") as work:
        made = Path(work) / "classes"
        sources = [str(path) for path in _sources(module).values()]
        _run_javac(module, [*OPTIONS, "-cp", f"{jars}/*", "-d", str(made), *sources])
        for path in made.rglob("*.class"):
            with path.open("rb") as file:
                os.fsync(file.fileno())  # after a power cut the folder has whole classes or is none
        try:
            made.rename(target)
        except OSError:  # another process was faster: it compiled the same
            if not target.is_dir():
                raise
    return target


def compile_all(jars: dict[str, Path]) -> None:
    """Compile the classes of every module that has some; `jars` are folders by module."""
    for module, folder in jars.items():
        if _sources(module):
            compile_classes(module, folder)


def _run_javac(module: str, arguments: list[str]) -> None:
    try:
        done = subprocess.run(
            ["javac", *arguments], capture_output=True, text=True, errors="replace", check=False
        )
    except FileNotFoundError:
        raise LoyaltyError(
            f"There is no javac on the PATH, which compiles {folder_of(module)}/java; "
            "install JDK 17 (Debian: apt-get install openjdk-17-jdk-headless)."
        ) from None
    if done.returncode:
        said = done.stderr.splitlines()
        error = next((line for line in said if "error: " in line), " ".join(said[:1]))
        raise LoyaltyError(
            f"javac could not compile {module}'s classes: {error.strip()}; "
            "put JDK 17 first on the PATH, then run the same command again."
        )


if __name__ == "__main__":  # an image's build
    compile_all(jar_folders())
