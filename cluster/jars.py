"""The servers' jars: resolved by Maven from the poms, cached for the user, checked by hash.

Beside each pom, jars.sha256 lists the jars of its class path (`sha256  file name`, as
sha256sum writes it). `python -m cluster.jars lock` writes these lists anew after a pom was
changed.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Final

from cluster.component import folder_of
from pipeline.errors import LoyaltyError
from pipeline.lock import in_turn
from pipeline.progress import Progress, unseen
from pipeline.settings import ROOT

MODULES: Final = ("kafka", "hdfs", "hbase", "hive", "hive-log4j1", "hive-schema", "spark", "flume")
POM: Final = ROOT / "cluster" / "pom.xml"
DRILL: Final = ("drill",)
"""Modules that only a drill needs; their folders, and poms of their own, are in the checkout."""
_FETCH: Final = ".fetch-"
SCHEMA_SCRIPTS: Final = "scripts/metastore/upgrade/derby"


def cache_folder() -> Path:
    """Give the user's cache of jars (XDG base directories)."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "loyalty" / "jars"


def _lock_file(module: str) -> Path:
    folder = ROOT / module if module in DRILL else folder_of(module)
    return folder / "jars.sha256"


def _locked(module: str) -> dict[str, str]:
    lines = _lock_file(module).read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split(maxsplit=1) for line in lines)}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def jar_folders(modules: tuple[str, ...] = MODULES) -> dict[str, Path]:
    """Give each module's folder in the cache; its name changes with the lock."""
    cache = cache_folder()
    return {module: cache / f"{module}-{_digest(_lock_file(module))[:12]}" for module in modules}


def faulty_jars(module: str, folder: Path) -> list[str]:
    """List what is missing or differs from the lock; reads every jar."""
    return [
        name
        for name, digest in _locked(module).items()
        if not (folder / name).is_file() or _digest(folder / name) != digest
    ]


def resolve_jars(progress: Progress, modules: tuple[str, ...] = MODULES) -> dict[str, Path]:
    """Bring every jar into the cache, unless it is there, and give the folder per module.

    modules: MODULES or DRILL. progress: is told (jars there, jars wanted). Whoever comes while
    another process fetches waits for it, and finds them.
    Raises LoyaltyError when Maven fails or a jar is not the one that was locked.
    """
    folders = jar_folders(modules)
    if _missing(folders):
        cache_folder().mkdir(parents=True, exist_ok=True)
        with in_turn(cache_folder() / ".lock"):
            if missing := _missing(folders):
                _fetch(missing, folders, progress, modules)
    return folders


def _missing(folders: dict[str, Path]) -> list[str]:
    return [module for module, folder in folders.items() if not folder.is_dir()]


def _fetch(
    missing: list[str], folders: dict[str, Path], progress: Progress, modules: tuple[str, ...]
) -> None:
    for left in cache_folder().glob(f"{_FETCH}*"):  # by a fetch that was killed
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=cache_folder(), prefix=_FETCH) as work:
        _copy_with_maven(Path(work), progress, modules)
        for module in missing:
            _publish(module, Path(work) / module, folders[module])


def check_jars(folders: dict[str, Path]) -> None:
    """Compare every cached jar with its hash; what differs is thrown away and named."""
    for module, folder in folders.items():
        if faulty := faulty_jars(module, folder):
            shutil.rmtree(folder)
            raise LoyaltyError(
                f"{folder / faulty[0]} is not the jar that was locked ({len(faulty)} of them); "
                "they were removed from the cache: run the same command again to fetch them."
            )


def _publish(module: str, fetched: Path, target: Path) -> None:
    if faulty := faulty_jars(module, fetched):
        raise LoyaltyError(
            f"Maven gave a {faulty[0]} for {module} that differs from {_lock_file(module)}; "
            "check the registry that Maven uses, or lock anew with `python -m cluster.jars lock`."
        )
    if module == "hive-schema":
        unpack_scripts(fetched)
    try:
        fetched.rename(target)
    except OSError:  # another checkout was faster: its folder passed the same check
        if not target.is_dir():
            raise


def unpack_scripts(folder: Path) -> None:
    """Put the SQL files of the archive into the folder itself, whatever else is in there.

    (Files are written one by one: tarfile's own filter for safe names came with Python 3.11.4,
    Debian 12 has 3.11.2.)
    """
    target = folder / SCHEMA_SCRIPTS
    target.mkdir(parents=True)
    with tarfile.open(next(folder.glob("*.tar.gz"))) as tar:
        for member in tar.getmembers():
            if member.isfile() and f"/{SCHEMA_SCRIPTS}/" in member.name:
                content = tar.extractfile(member)
                assert content is not None  # noqa: S101  # it is a file
                (target / Path(member.name).name).write_bytes(content.read())


def _copy_with_maven(target: Path, progress: Progress, modules: tuple[str, ...]) -> None:
    has_locks = all(_lock_file(module).is_file() for module in modules)
    wanted = len({jar for module in modules for jar in _locked(module)}) if has_locks else 0
    pom = ROOT / "drill" / "pom.xml" if modules == DRILL else POM
    command = ["mvn", "-B", "-f", str(pom), "dependency:copy-dependencies", f"-Djars={target}"]
    last: list[str] = []
    downloaded = 0
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as maven:
        assert maven.stdout is not None  # noqa: S101  # for the type checker
        for line in maven.stdout:
            last = [*last, line.rstrip()][-40:]
            if "Downloaded from" in line and (".jar " in line or ".tar.gz " in line):
                downloaded += 1
                progress(min(downloaded, wanted), wanted)
    if maven.returncode:
        errors = [line for line in last if "ERROR" in line] or last or ["it said nothing"]
        raise LoyaltyError(
            f"Maven could not fetch the servers' jars: {errors[0]} "
            "Check the network and Maven's settings, then run the same command again."
        )
    progress(wanted, wanted)


def write_locks() -> None:
    """Resolve the poms and write each module's jars.sha256."""
    with tempfile.TemporaryDirectory() as work:
        for modules in (MODULES, DRILL):
            _copy_with_maven(Path(work), unseen, modules)
        for module in (*MODULES, *DRILL):
            jars = sorted((Path(work) / module).iterdir())
            text = "".join(f"{_digest(jar)}  {jar.name}\n" for jar in jars)
            _lock_file(module).write_text(text, encoding="utf-8")


def publish_all(fetched: Path) -> None:
    """Put what Maven has copied into the cache, each jar checked by its hash (an image's build)."""
    for module, target in jar_folders().items():
        target.parent.mkdir(parents=True, exist_ok=True)
        _publish(module, fetched / module, target)


if __name__ == "__main__":
    if sys.argv[1:] == ["lock"]:
        write_locks()
    elif sys.argv[1:2] == ["publish"] and len(sys.argv) == 3:
        publish_all(Path(sys.argv[2]))
    else:
        sys.exit("usage: python -m cluster.jars lock | publish FOLDER")
