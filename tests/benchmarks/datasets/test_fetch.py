"""Downloads from a scripted local server: resumed, retried, verified or refused."""

from __future__ import annotations

import hashlib
import re
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.benchmarks.datasets.base import RemoteFile
from maieutic.benchmarks.datasets.fetch import DownloadLimits, cache_folder, fetch
from maieutic.errors import InputError, MaieuticError

CONTENT = bytes(range(256)) * 40
QUICK = DownloadLimits(connect=5.0, silence=5.0, tries=3, pause=0.0)

Reply = Callable[["Handler"], None]


@dataclass
class Script:
    """The server's reply to each request in turn (the last is repeated), and the requested ranges."""

    replies: list[Reply]
    url: str = ""
    ranges: list[str | None] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def remote(self) -> RemoteFile:
        return RemoteFile(f"{self.url}/file.json", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


class Handler(BaseHTTPRequestHandler):
    """Plays the script."""

    script: Script

    def do_GET(self) -> None:
        self.script.ranges.append(self.headers["Range"])
        replies = self.script.replies
        reply = replies[min(len(self.script.ranges), len(replies)) - 1]
        reply(self)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the test's output is pytest's."""

    def start(self, status: int, **headers: str | int) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()


def whole(handler: Handler) -> None:
    """What a good server sends: the file, or the rest of it."""
    requested = handler.headers["Range"]
    if requested is None:
        handler.start(200, Content_Length=len(CONTENT))
        handler.wfile.write(CONTENT)
        return
    start = int(requested.removeprefix("bytes=").removesuffix("-"))
    last = len(CONTENT) - 1
    handler.start(
        206, Content_Length=len(CONTENT) - start, Content_Range=f"bytes {start}-{last}/{len(CONTENT)}"
    )
    handler.wfile.write(CONTENT[start:])


def without_ranges(handler: Handler) -> None:
    handler.start(200, Content_Length=len(CONTENT))
    handler.wfile.write(CONTENT)


def cut_after(count: int, with_length: bool = True) -> Reply:
    """Close the connection after some bytes, with or without a Content-Length header."""

    def reply(handler: Handler) -> None:
        handler.start(200, **({"Content_Length": len(CONTENT)} if with_length else {}))
        handler.wfile.write(CONTENT[:count])

    return reply


def status(code: int, **headers: str | int) -> Reply:
    return lambda handler: handler.start(code, Content_Length=0, **headers)


def sends(content: bytes, **headers: str | int) -> Reply:
    def reply(handler: Handler) -> None:
        handler.start(200, **headers)
        handler.wfile.write(content)

    return reply


def stalls(handler: Handler) -> None:
    """Half of the file, and then nothing until the test is over."""
    handler.start(200, Content_Length=len(CONTENT))
    handler.wfile.write(CONTENT[:100])
    handler.wfile.flush()
    handler.script.released.wait(60)


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Script]]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    running: list[tuple[ThreadingHTTPServer, threading.Thread, Script]] = []

    def serve(*replies: Reply) -> Script:
        script = Script(list(replies))
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("Scripted", (Handler,), {"script": script}))
        script.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        running.append((server, thread, script))
        return script

    yield serve
    for server, thread, script in running:
        script.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "made-up" / "file.json"


def part(path: Path) -> Path:
    return path.with_name("file.json.part")


def test_a_file_comes_whole_with_its_size_told_on_the_way(serve: Callable[..., Script], path: Path) -> None:
    script = serve(whole)
    reports: list[tuple[str, int, int]] = []
    fetch(script.remote, path, lambda *report: reports.append(report), QUICK)
    assert path.read_bytes() == CONTENT
    assert not part(path).exists()
    assert reports[0] == ("file.json", 0, len(CONTENT))
    assert reports[-1] == ("file.json", len(CONTENT), len(CONTENT))
    assert reports == sorted(reports)


def test_a_file_that_is_there_is_not_asked_for_again(serve: Callable[..., Script], path: Path) -> None:
    script = serve(whole)
    fetch(script.remote, path, patience=QUICK)
    fetch(script.remote, path, patience=QUICK)
    assert len(script.ranges) == 1


def test_a_damaged_file_is_replaced(serve: Callable[..., Script], path: Path) -> None:
    script = serve(whole)
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT[:-1])
    fetch(script.remote, path, patience=QUICK)
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize("with_length", [True, False], ids=["with length", "without length"])
def test_after_a_cut_the_rest_is_asked_for(
    serve: Callable[..., Script], path: Path, with_length: bool
) -> None:
    script = serve(cut_after(777, with_length), whole)
    fetch(script.remote, path, patience=QUICK)
    assert path.read_bytes() == CONTENT
    assert script.ranges == [None, "bytes=777-"]


def test_a_later_call_goes_on_where_an_earlier_one_stopped(serve: Callable[..., Script], path: Path) -> None:
    broken = serve(cut_after(5000), status(503))
    with pytest.raises(MaieuticError) as caught:
        fetch(broken.remote, path, patience=QUICK)
    assert caught.value.subject == broken.remote.url
    assert part(path).read_bytes() == CONTENT[:5000]
    assert broken.ranges == [None, "bytes=5000-", "bytes=5000-"]
    mended = serve(whole)
    reports: list[int] = []
    fetch(mended.remote, path, lambda _name, done, _total: reports.append(done), QUICK)
    assert (path.read_bytes(), mended.ranges, reports[0]) == (CONTENT, ["bytes=5000-"], 5000)


def test_a_server_without_ranges_is_asked_for_everything(serve: Callable[..., Script], path: Path) -> None:
    script = serve(cut_after(300), without_ranges)
    fetch(script.remote, path, patience=QUICK)
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize(
    "reply",
    [
        status(416),
        status(206, Content_Range=f"bytes 0-{len(CONTENT) - 1}/{len(CONTENT)}"),
        status(206, Content_Range="nonsense"),
        status(206),
    ],
    ids=["no such range", "another range", "nonsense", "no range"],
)
def test_a_server_that_cannot_go_on_is_asked_from_the_start(
    serve: Callable[..., Script], path: Path, reply: Reply
) -> None:
    script = serve(cut_after(300), reply, whole)
    fetch(script.remote, path, patience=QUICK)
    assert path.read_bytes() == CONTENT
    assert script.ranges == [None, "bytes=300-", None]


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504])
def test_a_passing_fault_is_retried(serve: Callable[..., Script], path: Path, code: int) -> None:
    script = serve(status(code), status(code), whole)
    fetch(script.remote, path, patience=QUICK)
    assert path.read_bytes() == CONTENT


def test_pauses_double(serve: Callable[..., Script], path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    script = serve(status(500))
    with pytest.raises(MaieuticError, match="500"):
        fetch(script.remote, path, patience=replace(QUICK, tries=4, pause=1.0))
    assert (pauses, len(script.ranges)) == ([1.0, 2.0, 4.0], 4)


@pytest.mark.parametrize("code", [400, 403, 404, 410])
def test_a_file_that_is_not_there_is_asked_for_once(
    serve: Callable[..., Script], path: Path, code: int
) -> None:
    script = serve(status(code))
    with pytest.raises(MaieuticError, match=str(code)) as caught:
        fetch(script.remote, path, patience=QUICK)
    assert caught.value.subject == script.remote.url
    assert len(script.ranges) == 1


def test_a_wrong_checksum_is_refused_and_nothing_is_kept(serve: Callable[..., Script], path: Path) -> None:
    script = serve(sends(CONTENT[::-1], Content_Length=len(CONTENT)))
    with pytest.raises(MaieuticError, match=script.remote.sha256) as caught:
        fetch(script.remote, path, patience=QUICK)
    assert caught.value.subject == script.remote.url
    assert not path.exists()
    assert not part(path).exists()


@pytest.mark.parametrize(
    "reply",
    [
        sends(b"<html>", Content_Length=6),
        sends(CONTENT * 2),
        status(206, Content_Range="bytes 0-9/10"),
    ],
    ids=["shorter", "longer than told", "shorter, in parts"],
)
def test_a_file_of_another_size_is_refused_and_nothing_is_kept(
    serve: Callable[..., Script], path: Path, reply: Reply
) -> None:
    script = serve(reply)
    with pytest.raises(MaieuticError, match="10,240") as caught:
        fetch(script.remote, path, patience=QUICK)
    assert caught.value.subject == script.remote.url
    assert not path.exists()
    assert not part(path).exists()


def test_a_complete_but_wrong_part_is_refused_without_asking(
    serve: Callable[..., Script], path: Path
) -> None:
    script = serve(whole)
    path.parent.mkdir(parents=True)
    part(path).write_bytes(CONTENT[::-1])
    with pytest.raises(MaieuticError) as caught:
        fetch(script.remote, path, patience=QUICK)
    assert caught.value.subject == script.remote.url
    fetch(script.remote, path, patience=QUICK)  # the part was removed
    assert (path.read_bytes(), script.ranges) == (CONTENT, [None])


def test_a_silent_server_is_given_up_and_what_came_is_kept(serve: Callable[..., Script], path: Path) -> None:
    script = serve(stalls)
    with pytest.raises(MaieuticError) as caught:
        fetch(script.remote, path, patience=replace(QUICK, silence=0.2, tries=2))
    assert caught.value.subject == script.remote.url
    assert len(script.ranges) == 2
    if part(path).exists():  # on a slow machine, not even the first bytes came in time
        assert part(path).read_bytes() == CONTENT[:100]


def test_nobody_listening_is_one_sentence(serve: Callable[..., Script], path: Path) -> None:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # bound and not listening: calls are refused
        remote = replace(serve(whole).remote, url=f"http://127.0.0.1:{free.getsockname()[1]}/file.json")
        with pytest.raises(MaieuticError) as caught:
            fetch(remote, path, patience=QUICK)
    assert caught.value.subject == remote.url
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full, a disk without room")
def test_a_full_disk_is_one_sentence(serve: Callable[..., Script], path: Path) -> None:
    script = serve(whole)
    path.parent.mkdir(parents=True)
    part(path).symlink_to("/dev/full")
    with pytest.raises(MaieuticError) as caught:
        fetch(script.remote, path, patience=QUICK)
    assert caught.value.subject == str(part(path))
    assert len(script.ranges) == 1
    assert part(path).is_symlink()  # what came before is kept


def test_a_folder_that_cannot_be_made_is_one_sentence(serve: Callable[..., Script], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    path = tmp_path / "file" / "file.json"
    with pytest.raises(MaieuticError) as caught:
        fetch(serve(whole).remote, path, patience=QUICK)
    assert caught.value.subject == str(part(path))


def test_redirects_are_followed(serve: Callable[..., Script], path: Path) -> None:
    script = serve(status(302, Location="/elsewhere"), whole)
    fetch(script.remote, path, patience=QUICK)
    assert path.read_bytes() == CONTENT


def test_endless_redirects_end(serve: Callable[..., Script], path: Path) -> None:
    remote = serve(status(302, Location="/again")).remote
    with pytest.raises(MaieuticError) as caught:
        fetch(remote, path, patience=QUICK)
    assert caught.value.subject == remote.url


def test_only_https_is_fetched_also_after_a_redirect(serve: Callable[..., Script], path: Path) -> None:
    script = serve(status(302, Location="http://example.invalid/file.json"))
    with pytest.raises(MaieuticError) as redirected:
        fetch(script.remote, path, patience=QUICK)
    assert redirected.value.subject == "http://example.invalid/file.json"
    with pytest.raises(MaieuticError) as direct:
        fetch(replace(script.remote, url="http://example.invalid/"), path, patience=QUICK)
    assert direct.value.subject == "http://example.invalid/"
    assert len(script.ranges) == 1


@settings(deadline=None)
@given(cuts=st.lists(st.integers(0, len(CONTENT)), max_size=4))
def test_however_often_it_is_cut_the_file_comes_whole(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int]
) -> None:
    """A mock transport that honours ranges and truncates every reply but the last."""
    import httpx2

    left = list(cuts)

    def reply(request: httpx2.Request) -> httpx2.Response:
        requested = request.headers.get("Range")
        start = int(re.sub(r"\D", "", requested)) if requested else 0
        end = max(start, left.pop()) if left else len(CONTENT)
        headers = {"Content-Range": f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"} if requested else {}
        return httpx2.Response(206 if requested else 200, headers=headers, stream=_Pieces(CONTENT[start:end]))

    class _Pieces(httpx2.SyncByteStream):
        def __init__(self, content: bytes) -> None:
            self._content = content

        def __iter__(self) -> Iterator[bytes]:
            for start in range(0, len(self._content), 1000):
                yield self._content[start : start + 1000]

    path = tmp_path_factory.mktemp("cut") / "file.json"
    remote = RemoteFile("https://example.invalid/file", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    client = httpx2.Client
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            httpx2, "Client", lambda **options: client(transport=httpx2.MockTransport(reply), **options)
        )
        fetch(remote, path, patience=replace(QUICK, tries=6))
    assert path.read_bytes() == CONTENT


def test_without_the_extra_the_remedy_is_named(
    serve: Callable[..., Script], path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = serve(whole).remote
    monkeypatch.setitem(sys.modules, "httpx2", None)
    with pytest.raises(InputError) as caught:
        fetch(remote, path)
    assert caught.value.subject == "bench"


def test_the_cache_is_in_the_users_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAIEUTIC_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder("creak").parts[-3:] == ("maieutic", "datasets", "creak")
