"""The cache of jars: whoever comes second finds what the first has fetched."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from cluster import jars
from pipeline.progress import unseen


def test_two_at_once_fetch_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    together = Barrier(2)
    looks: list[int] = []
    fetched: list[list[str]] = []
    real = jars._missing

    def missing(folders: dict[str, Path]) -> list[str]:
        found = real(folders)
        looks.append(len(found))
        if len(looks) <= 2:
            together.wait(10)  # both have seen that nothing is there
        return found

    def fetch(names: list[str], folders: dict[str, Path], *_: Any) -> None:
        fetched.append(names)
        for folder in folders.values():
            folder.mkdir()

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(jars, "_missing", missing)
    monkeypatch.setattr(jars, "_fetch", fetch)
    with ThreadPoolExecutor(2) as pool:
        results = [pool.submit(jars.resolve_jars, unseen) for _ in range(2)]
    assert [one.result() for one in results] == [jars.jar_folders()] * 2
    assert fetched == [list(jars.MODULES)]
