"""HDFS through the `hdfs` package, and nothing else that speaks to it from Python.

Renames are checked here: WebHDFS answers false where a rename did not happen.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import requests
from hdfs import HdfsError, InsecureClient
from requests.adapters import HTTPAdapter

from pipeline.addresses import LOOPBACK
from pipeline.errors import LoyaltyError, Unavailable

if TYPE_CHECKING:
    from pipeline.settings import Settings


class Missing(LoyaltyError, FileNotFoundError):
    """A path is not on HDFS; where nobody expects it, a sentence for the user."""


class Taken(LoyaltyError, FileExistsError):
    """A path that must be absent is on HDFS; where nobody expects it, a sentence for the user."""


class InDoubt(Unavailable):
    """An open file whose DataNode died while it was written: nobody knows its length until it is
    closed.
    """


class _Inside(HTTPAdapter):
    """Among containers: the DataNode tells where the host's clients find it."""

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> Any:
        assert request.url is not None  # noqa: S101  # for the type checker
        request.url = request.url.replace(f"//{LOOPBACK}:", "//datanode:", 1)
        return super().send(request, *args, **options)


class _Client(InsecureClient):  # type: ignore[misc]
    """Lists a folder with one question: the package has another one about each folder with one
    thing in it, for the sake of HttpFS, and most of ours are such.
    """

    def list(self, hdfs_path: str, status: bool = False) -> list[Any]:
        found = self._list_status(self.resolve(hdfs_path)).json()["FileStatuses"]["FileStatus"]
        if len(found) == 1 and not found[0]["pathSuffix"]:
            raise HdfsError("%r is not a directory.", hdfs_path)
        return [(one["pathSuffix"], one) if status else one["pathSuffix"] for one in found]

    def rename_over(self, source: str, target: str) -> None:
        """Rename a file onto one that may be there, in one step: the package has no such option."""
        self._rename(
            self.resolve(source), destination=self.resolve(target), renameoptions="OVERWRITE"
        )


def _session(webhdfs: str) -> requests.Session:
    session = requests.Session()
    # no proxy is asked for what is here or in the cluster
    session.trust_env = False
    if urlsplit(webhdfs).hostname == "namenode":
        session.mount(f"http://{LOOPBACK}:", _Inside())
    return session


def _cause(error: BaseException) -> str:
    """Give the words of what lies at the bottom of an error: of the system, or of HTTP."""
    bottom: BaseException = error
    while inner := bottom.__cause__ or bottom.__context__:
        bottom = inner
    return getattr(bottom, "strerror", None) or str(bottom) or type(bottom).__name__


class Hdfs:
    """One user's view of HDFS. Missing paths raise Missing, which is a FileNotFoundError too; an
    outage raises Unavailable.
    """

    def __init__(self, webhdfs: str, user: str, timeout: float = 30) -> None:
        self._url = webhdfs
        self._client: Any = _Client(webhdfs, user=user, timeout=timeout, session=_session(webhdfs))

    @contextmanager
    def _sentences(self, function: str, path: object) -> Iterator[None]:
        try:
            yield
        except requests.RequestException as error:
            why = "in time" if isinstance(error, requests.Timeout) else f"({_cause(error)})"
            raise Unavailable(
                f"HDFS does not answer at {self._url} {why}; `./loyalty status` shows its state."
            ) from error
        except HdfsError as error:
            if error.exception == "FileNotFoundException":
                raise Missing(
                    f"{path} is not on HDFS, or no longer: run the command again, and "
                    "`./loyalty verify` if it stays so."
                ) from error
            # what follows the first line is a trace of the NameNode
            reason = (str(error).splitlines() or ["no reason given"])[0]
            if "Cannot obtain block length" in reason:
                raise InDoubt(
                    f"HDFS refused {function} {path}: {reason}. Its DataNode died while it was"
                    " written; Flume closes it within a minute or two, and is started again where"
                    " it cannot: try again then."
                ) from error
            raise Unavailable(
                f"HDFS refused {function} {path}: {reason.rstrip('.')}; `./loyalty status` shows"
                " its state."
            ) from error

    def _call(self, function: str, *args: Any, **options: Any) -> Any:
        with self._sentences(function, args[0]):
            return getattr(self._client, function)(*args, **options)

    def names(self, folder: str) -> list[str]:
        """List the names in a folder, [] where there is none."""
        try:
            return cast("list[str]", self._call("list", folder))
        except FileNotFoundError:
            return []

    def statuses(self, folder: str) -> list[tuple[str, dict[str, Any]]]:
        """List (name, FileStatus as of WebHDFS) of a folder, [] where there is none."""
        try:
            return cast("list[tuple[str, dict[str, Any]]]", self._call("list", folder, status=True))
        except FileNotFoundError:
            return []

    def walk(self, folder: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Give (path, FileStatus) of every file under a folder, in the order of the names."""
        for name, status in sorted(self.statuses(folder)):
            path = f"{folder}/{name}"
            if status["type"] == "DIRECTORY":
                yield from self.walk(path)
            else:
                yield path, status

    def status(self, path: str) -> dict[str, Any] | None:
        """Give the FileStatus (as of WebHDFS) of a file or folder, None where there is none."""
        return cast("dict[str, Any] | None", self._call("status", path, strict=False))

    def exists(self, path: str) -> bool:
        """Tell whether a file or folder is there."""
        return self.status(path) is not None

    def size(self, path: str) -> int:
        """Give the bytes of a file, or of all files in a folder, of one copy; counted by HDFS."""
        return int(self._call("content", path)["length"])

    def read(self, path: str) -> bytes:
        """Read a whole file; of one that is being written, what was flushed."""
        return b"".join(self.chunks(path))

    def chunks(self, path: str, size: int = 1 << 20) -> Iterator[bytes]:
        """Read a file piece by piece."""
        # the client asks only when its context is entered: an absent file shows there
        with self._sentences("read", path), self._client.read(path, chunk_size=size) as pieces:
            yield from pieces

    def write(self, path: str, data: bytes | IO[bytes], *, overwrite: bool = True) -> None:
        """Write a file, with the folders above it."""
        self._call("write", path, data=data, overwrite=overwrite)

    def replace(self, path: str, data: bytes) -> None:
        """Write a small file as a whole: its readers find the one before, or this one. It has one
        writer.
        """
        fresh = f"{path}.new"
        self.write(fresh, data)
        self._call("rename_over", fresh, path)

    def make_folder(self, path: str) -> None:
        """Make a folder and those above it; one that is there stays."""
        self._call("makedirs", path)

    def rename(self, source: str, target: str) -> None:
        """Rename onto a name that must be absent; raises Taken (a FileExistsError) where not.

        HDFS would move a folder INTO an existing one.
        """
        if self.exists(target):
            raise Taken(
                f"{target} is on HDFS already: something else wrote it; run the command again."
            )
        self._call("rename", source, target)

    def delete(self, path: str) -> None:
        """Delete a file or folder with all that is in it; an absent one is fine."""
        self._call("delete", path, recursive=True)

    def own(self, path: str, owner: str, group: str, mode: str) -> None:
        """Set owner, group and octal mode ("750") of a path; only the superuser may."""
        self._call("set_owner", path, owner=owner, group=group)
        self._call("set_permission", path, mode)


def superuser_of(settings: "Settings", timeout: float = 30) -> Hdfs:
    """Give HDFS as its superuser: who may read and write everything."""
    return Hdfs(settings.webhdfs, user=settings.superuser, timeout=timeout)
