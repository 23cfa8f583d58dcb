"""Official files from their public home: resumed where they stopped, checked before they get their name."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from maieutic.benchmarks.datasets.base import RemoteFile
from maieutic.bundled import sha256_of
from maieutic.cache.folder import cache_root
from maieutic.errors import InputError, MaieuticError

if TYPE_CHECKING:
    import httpx2

__all__ = ["DownloadLimits", "OnProgress", "cache_folder", "fetch"]

OnProgress = Callable[[str, int, int], None]  # the file's name, bytes that are here, bytes in all

_EXTRA = "fetching data sets needs maieutic[bench]; pip install 'maieutic[bench]', or give --data FOLDER"
_RESUMES = "start again, which goes on where it stopped"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_AGAIN = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})


@dataclass(frozen=True, slots=True)
class DownloadLimits:
    """How long a download is waited for.

    Attributes:
        connect: seconds until a server must have answered a call; ``silence`` between two pieces of a reply.
        tries: requests in all, where servers fail or connections break.
        pause: seconds before the second request, doubled before each further one.
    """

    connect: float = 10.0
    silence: float = 30.0
    tries: int = 4
    pause: float = 1.0


class _Interrupted(Exception):  # noqa: N818 - caught below, no error of the package's
    """A request came to nothing; another may do better."""


def cache_folder(name: str) -> Path:
    """Where the files of a data set are kept, whether or not it is there."""
    return cache_root() / "datasets" / name


def fetch(
    remote: RemoteFile,
    path: Path,
    on_progress: OnProgress | None = None,
    patience: DownloadLimits | None = None,
) -> None:
    """Put a published file at ``path``, unless it is there already.

    What has come is kept beside it as ``NAME.part``, and a later call goes on from there.

    Raises:
        InputError: the extra ``bench`` is not installed.
        MaieuticError: the server cannot be reached or does not have the file, what it sent is not the
            published file (and is removed), or the disk is full or not writable.
    """
    patience = patience or DownloadLimits()
    download = _Download(remote, path, on_progress)
    if path.is_file() and sha256_of(path) == remote.sha256:
        return
    with _client(patience) as client:
        for tried in count(1):
            try:
                download.go_on(client)
                break
            except _Interrupted as error:
                if tried >= patience.tries:
                    problem = f"cannot fetch {remote.url} ({error}); check the connection and {_RESUMES}"
                    raise MaieuticError(f"{problem}, or give --data FOLDER") from None
            time.sleep(patience.pause * 2 ** (tried - 1))
    download.accept()


@dataclass(frozen=True, slots=True)
class _Download:
    """One file on its way."""

    remote: RemoteFile
    path: Path
    on_progress: OnProgress | None

    @property
    def part(self) -> Path:
        return self.path.with_name(f"{self.path.name}.part")

    def go_on(self, client: httpx2.Client) -> None:
        """Ask for what is missing and append it to the part.

        Raises:
            _Interrupted: the part is not complete yet.
        """
        import httpx2  # noqa: PLC0415

        have = self.part.stat().st_size if self.part.is_file() else 0
        if have >= self.remote.bytes:  # complete, or what no server sent
            return
        headers = {"Range": f"bytes={have}-"} if have else {}
        try:
            with client.stream("GET", self.remote.url, headers=headers) as response:
                start = self._start(response, have)
                self._write(response.iter_raw(), start)
        except httpx2.TimeoutException:
            raise _Interrupted("the server was silent for too long") from None
        except httpx2.TransportError as error:
            raise _Interrupted(str(error) or type(error).__name__) from None
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise MaieuticError(f"cannot fetch {self.remote.url} ({error}); give --data FOLDER") from None

    def _start(self, response: httpx2.Response, have: int) -> int:
        """At which byte of the file the reply begins."""
        status = response.status_code
        if status in _AGAIN or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise _Interrupted(f"the server answered {status}")
        if status == HTTPStatus.OK:
            self._check_size(response.headers.get("Content-Length", ""))
            return 0
        if status == HTTPStatus.PARTIAL_CONTENT:
            place = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
            if place and int(place[1]) == have:
                self._check_size(place[2])
                return have
        if status in (HTTPStatus.PARTIAL_CONTENT, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE):
            self.part.unlink(missing_ok=True)
            raise _Interrupted("the server cannot go on in the middle")
        raise MaieuticError(
            f"cannot fetch {self.remote.url}: the server answered {status}; "
            "look for the file at the data set's home (see maieutic bench datasets) and give --data FOLDER"
        )

    def _check_size(self, told: str) -> None:
        if told.isdecimal() and int(told) != self.remote.bytes:
            self._refuse(f"has {int(told):,} bytes, not {self.remote.bytes:,}")

    def _write(self, pieces: Iterable[bytes], start: int) -> None:
        done = start
        self._tell(done)
        try:
            self.part.parent.mkdir(parents=True, exist_ok=True)
            with self.part.open("ab" if start else "wb") as file:
                for piece in pieces:
                    done += len(piece)
                    if done > self.remote.bytes:
                        break
                    file.write(piece)
                    self._tell(done)
        except OSError as error:
            problem = f"cannot write {self.part} ({error.strerror}); make room or check the folder"
            raise MaieuticError(f"{problem}, and {_RESUMES}") from None
        if done > self.remote.bytes:
            self._refuse(f"has more than {self.remote.bytes:,} bytes")
        if done < self.remote.bytes:
            raise _Interrupted(f"the reply ended after {done:,} of {self.remote.bytes:,} bytes")

    def accept(self) -> None:
        """Give the part its name, once it is seen to be the published file."""
        found = sha256_of(self.part)
        if found != self.remote.sha256:
            self._refuse(f"has the checksum {found}, not {self.remote.sha256}")
        try:
            self.part.replace(self.path)
        except OSError as error:
            raise MaieuticError(f"cannot write {self.path} ({error.strerror}); check the folder") from None

    def _refuse(self, problem: str) -> None:
        self.part.unlink(missing_ok=True)
        raise MaieuticError(
            f"what {self.remote.url} sent is not the published file: it {problem}; it was removed, "
            "so start again, or get the file elsewhere and give --data FOLDER"
        )

    def _tell(self, done: int) -> None:
        if self.on_progress is not None:
            self.on_progress(self.path.name, done, self.remote.bytes)


def _client(patience: DownloadLimits) -> httpx2.Client:
    try:
        import httpx2  # noqa: PLC0415 - an extra dependency
    except ImportError:
        raise InputError(_EXTRA) from None

    def refuse_plain(request: httpx2.Request) -> None:
        """Also after a redirect."""
        if request.url.scheme != "https" and request.url.host not in _LOOPBACK:
            raise MaieuticError(f"{request.url} is not https, so it is not fetched; give --data FOLDER")

    return httpx2.Client(
        headers={"Accept-Encoding": "identity"},  # a checksum is of the bytes as they are published
        timeout=httpx2.Timeout(patience.silence, connect=patience.connect),
        follow_redirects=True,
        event_hooks={"request": [refuse_plain]},
    )
