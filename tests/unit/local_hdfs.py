"""HDFS as a local folder, for tests of the writer's steps without servers."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from pipeline.webhdfs import Hdfs


class LocalHdfs(Hdfs):
    """A client whose files lie under a folder; it dies before it writes its Nth file."""

    def __init__(self, root: Path) -> None:
        super().__init__("http://127.0.0.1:1", user="spark")
        self.root = root
        self.files_left = -1
        """Files that are still written before it dies; below zero it lives."""

    def _call(self, function: str, *args: Any, **options: Any) -> Any:
        return getattr(self, f"_{function}")(*(self._at(str(path)) for path in args), **options)

    def _at(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def read(self, path: str) -> bytes:
        """Read a whole file."""
        return self._at(path).read_bytes()

    def chunks(self, path: str, size: int = 1 << 20) -> Iterator[bytes]:  # noqa: ARG002
        yield self.read(path)

    def _list(self, folder: Path, *, status: bool = False) -> list[Any]:
        names = sorted(one.name for one in folder.iterdir())
        return [(name, self._status(folder / name)) for name in names] if status else names

    def _status(self, path: Path, *, strict: bool = False) -> dict[str, Any] | None:
        if not path.exists():
            assert not strict
            return None
        return {"type": "DIRECTORY" if path.is_dir() else "FILE", "length": path.stat().st_size}

    def _write(self, path: Path, *, data: bytes | IO[bytes], overwrite: bool) -> None:
        assert isinstance(data, bytes)
        assert overwrite or not path.exists()
        if self.files_left == 0:
            raise KeyboardInterrupt
        self.files_left -= 1
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def _makedirs(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)

    def _rename(self, source: Path, target: Path) -> None:
        source.rename(target)

    def _delete(self, path: Path, *, recursive: bool) -> None:
        assert recursive
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
