"""Download official files: resume interrupted downloads and verify checksums."""

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

OnProgress = Callable[[str, int, int], None]  # name of the file, bytes received so far, bytes in total

_EXTRA = "downloads need the extra bench; pip install 'maieutic[bench]', or give --data FOLDER"
_RESUMES = "start again, which resumes the download"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_RETRIED = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})


@dataclass(frozen=True, slots=True)
class DownloadLimits:
    """Timeouts and retries of a download.

    Attributes:
        connect: timeout for connecting, in seconds.
        silence: longest time without new data, in seconds.
        tries: largest number of requests, if servers fail or connections break.
        pause: seconds before the second request; doubled before each further request.
    """

    connect: float = 10.0
    silence: float = 30.0
    tries: int = 4
    pause: float = 1.0


class _Interrupted(Exception):  # noqa: N818 - internal, never reaches a caller
    """A request failed in a way that a retry may fix."""


def cache_folder(name: str) -> Path:
    """The folder that caches the files of a data set; it may not exist yet."""
    return cache_root() / "datasets" / name


def fetch(
    remote: RemoteFile,
    path: Path,
    on_progress: OnProgress | None = None,
    patience: DownloadLimits | None = None,
) -> None:
    """Download a published file to ``path``, unless it is already there.

    Received data are kept next to it in ``NAME.part``, and a later call resumes from them.

    Raises:
        InputError: the extra ``bench`` is not installed; ``subject`` is its name.
        MaieuticError: the server cannot be reached or does not have the file, the downloaded file is not
            the published one (it is removed), or the disk is full or not writable. ``subject`` is the
            URL or the path.
    """
    patience = patience or DownloadLimits()
    download = _Download(remote, path, on_progress)
    if path.is_file() and sha256_of(path) == remote.sha256:
        return
    with _client(patience) as client:
        for attempt in count(1):
            try:
                download.resume(client)
                break
            except _Interrupted as error:
                if attempt >= patience.tries:
                    problem = f"cannot fetch {remote.url} ({error}); check the connection and {_RESUMES}"
                    raise MaieuticError(f"{problem}, or give --data FOLDER", subject=remote.url) from None
            time.sleep(patience.pause * 2 ** (attempt - 1))
    download.accept()


@dataclass(frozen=True, slots=True)
class _Download:
    """The download of one file."""

    remote: RemoteFile
    path: Path
    on_progress: OnProgress | None

    @property
    def part(self) -> Path:
        return self.path.with_name(f"{self.path.name}.part")

    def resume(self, client: httpx2.Client) -> None:
        """Request the missing bytes and append them to the part file.

        Raises:
            _Interrupted: the part file is still incomplete.
        """
        import httpx2  # noqa: PLC0415

        size = self.part.stat().st_size if self.part.is_file() else 0
        if size >= self.remote.bytes:  # complete or too long; accept() checks which
            return
        headers = {"Range": f"bytes={size}-"} if size else {}
        try:
            with client.stream("GET", self.remote.url, headers=headers) as response:
                start = self._start(response, size)
                self._write(response.iter_raw(), start)
        except httpx2.TimeoutException:
            raise _Interrupted("the server was silent for too long") from None
        except httpx2.TransportError as error:
            raise _Interrupted(str(error) or type(error).__name__) from None
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise MaieuticError(
                f"cannot fetch {self.remote.url} ({error}); give --data FOLDER", subject=self.remote.url
            ) from None

    def _start(self, response: httpx2.Response, size: int) -> int:
        """The offset in the file at which the reply begins: 0 or ``size``, the size of the part file."""
        status = response.status_code
        if status in _RETRIED or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise _Interrupted(f"the server answered {status}")
        if status == HTTPStatus.OK:
            self._check_size(response.headers.get("Content-Length", ""))
            return 0
        if status == HTTPStatus.PARTIAL_CONTENT:
            place = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
            if place and int(place[1]) == size:
                self._check_size(place[2])
                return size
        if status in (HTTPStatus.PARTIAL_CONTENT, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE):
            self.part.unlink(missing_ok=True)
            raise _Interrupted("the server cannot resume a download")
        raise MaieuticError(
            f"cannot fetch {self.remote.url}: the server answered {status}; "
            "get the file from the data set's homepage (see maieutic bench datasets) and give --data FOLDER",
            subject=self.remote.url,
        )

    def _check_size(self, size: str) -> None:
        """Refuse the file if the size in a header, where there is one, is not the published one."""
        if size.isdecimal() and int(size) != self.remote.bytes:
            self._refuse(f"has {int(size):,} bytes, not {self.remote.bytes:,}")

    def _write(self, chunks: Iterable[bytes], start: int) -> None:
        done = start
        self._report(done)
        try:
            self.part.parent.mkdir(parents=True, exist_ok=True)
            with self.part.open("ab" if start else "wb") as file:
                for chunk in chunks:
                    done += len(chunk)
                    if done > self.remote.bytes:
                        break
                    file.write(chunk)
                    self._report(done)
        except OSError as error:
            problem = f"cannot write {self.part} ({error.strerror}); make room or check the folder"
            raise MaieuticError(f"{problem}, and {_RESUMES}", subject=str(self.part)) from None
        if done > self.remote.bytes:
            self._refuse(f"has more than {self.remote.bytes:,} bytes")
        if done < self.remote.bytes:
            raise _Interrupted(f"the reply ended after {done:,} of {self.remote.bytes:,} bytes")

    def accept(self) -> None:
        """Rename the part file to its final name after checking its checksum."""
        checksum = sha256_of(self.part)
        if checksum != self.remote.sha256:
            self._refuse(f"has the checksum {checksum}, not {self.remote.sha256}")
        try:
            self.part.replace(self.path)
        except OSError as error:
            raise MaieuticError(
                f"cannot write {self.path} ({error.strerror}); check the folder", subject=str(self.path)
            ) from None

    def _refuse(self, problem: str) -> None:
        self.part.unlink(missing_ok=True)
        raise MaieuticError(
            f"the file from {self.remote.url} is not the published one: it {problem}, and was removed; "
            "start again, or get the file elsewhere and give --data FOLDER",
            subject=self.remote.url,
        )

    def _report(self, done: int) -> None:
        if self.on_progress is not None:
            self.on_progress(self.path.name, done, self.remote.bytes)


def _client(patience: DownloadLimits) -> httpx2.Client:
    try:
        import httpx2  # noqa: PLC0415 - an extra dependency
    except ImportError:
        raise InputError(_EXTRA, subject="bench") from None

    def refuse_plain(request: httpx2.Request) -> None:
        """The hook also runs after each redirect."""
        if request.url.scheme != "https" and request.url.host not in _LOOPBACK:
            raise MaieuticError(
                f"{request.url} does not use https; get the file elsewhere and give --data FOLDER",
                subject=str(request.url),
            )

    return httpx2.Client(
        headers={"Accept-Encoding": "identity"},  # checksums are of the bytes as published
        timeout=httpx2.Timeout(patience.silence, connect=patience.connect),
        follow_redirects=True,
        event_hooks={"request": [refuse_plain]},
    )
