"""Downloads from a scripted server on the loopback: resumed, retried, checked, refused in one sentence."""

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
    """What the server does with each request in turn (the last reply is repeated), and what it was asked."""

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
        asked = self.headers["Range"]
        self.script.ranges.append(asked)
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
    asked = handler.headers["Range"]
    if asked is None:
        handler.start(200, Content_Length=len(CONTENT))
        handler.wfile.write(CONTENT)
        return
    start = int(asked.removeprefix("bytes=").removesuffix("-"))
    last = len(CONTENT) - 1
    handler.start(
        206, Content_Length=len(CONTENT) - start, Content_Range=f"bytes {start}-{last}/{len(CONTENT)}"
    )
    handler.wfile.write(CONTENT[start:])


def without_ranges(handler: Handler) -> None:
    handler.start(200, Content_Length=len(CONTENT))
    handler.wfile.write(CONTENT)


def cut_after(count: int, told: bool = True) -> Reply:
    """The connection ends after some bytes, whether or not their number was told before."""

    def reply(handler: Handler) -> None:
        handler.start(200, **({"Content_Length": len(CONTENT)} if told else {}))
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
    told: list[tuple[str, int, int]] = []
    fetch(script.remote, path, lambda *each: told.append(each), QUICK)
    assert path.read_bytes() == CONTENT
    assert not part(path).exists()
    assert told[0] == ("file.json", 0, len(CONTENT))
    assert told[-1] == ("file.json", len(CONTENT), len(CONTENT))
    assert told == sorted(told)


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


@pytest.mark.parametrize("told", [True, False], ids=["length told", "length not told"])
def test_after_a_cut_the_rest_is_asked_for(serve: Callable[..., Script], path: Path, told: bool) -> None:
    script = serve(cut_after(777, told), whole)
    fetch(script.remote, path, patience=QUICK)
    assert path.read_bytes() == CONTENT
    assert script.ranges == [None, "bytes=777-"]


def test_a_later_call_goes_on_where_an_earlier_one_stopped(serve: Callable[..., Script], path: Path) -> None:
    broken = serve(cut_after(5000), status(503))
    with pytest.raises(MaieuticError, match=r"the server answered 503.*goes on where it stopped"):
        fetch(broken.remote, path, patience=QUICK)
    assert part(path).read_bytes() == CONTENT[:5000]
    assert broken.ranges == [None, "bytes=5000-", "bytes=5000-"]
    mended = serve(whole)
    told: list[int] = []
    fetch(mended.remote, path, lambda _name, done, _all: told.append(done), QUICK)
    assert (path.read_bytes(), mended.ranges, told[0]) == (CONTENT, ["bytes=5000-"], 5000)


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
    with pytest.raises(MaieuticError, match="answered 500"):
        fetch(script.remote, path, patience=replace(QUICK, tries=4, pause=1.0))
    assert (pauses, len(script.ranges)) == ([1.0, 2.0, 4.0], 4)


@pytest.mark.parametrize("code", [400, 403, 404, 410])
def test_a_file_that_is_not_there_is_asked_for_once(
    serve: Callable[..., Script], path: Path, code: int
) -> None:
    script = serve(status(code))
    with pytest.raises(MaieuticError, match=f"file.json: the server answered {code}; look for the file"):
        fetch(script.remote, path, patience=QUICK)
    assert len(script.ranges) == 1


def test_a_wrong_checksum_is_refused_and_nothing_is_kept(serve: Callable[..., Script], path: Path) -> None:
    script = serve(sends(CONTENT[::-1], Content_Length=len(CONTENT)))
    with pytest.raises(MaieuticError, match=r"not the published file: it has the checksum [0-9a-f]{64}, not"):
        fetch(script.remote, path, patience=QUICK)
    assert not path.exists()
    assert not part(path).exists()


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        (sends(b"<html>", Content_Length=6), "has 6 bytes, not 10,240"),
        (sends(CONTENT * 2), "has more than 10,240 bytes"),
        (status(206, Content_Range="bytes 0-9/10"), "has 10 bytes, not 10,240"),
    ],
    ids=["shorter", "longer than told", "shorter, in parts"],
)
def test_a_file_of_another_size_is_refused_and_nothing_is_kept(
    serve: Callable[..., Script], path: Path, reply: Reply, problem: str
) -> None:
    script = serve(reply)
    with pytest.raises(MaieuticError, match=problem):
        fetch(script.remote, path, patience=QUICK)
    assert not path.exists()
    assert not part(path).exists()


def test_a_complete_but_wrong_part_is_refused_without_asking(
    serve: Callable[..., Script], path: Path
) -> None:
    script = serve(whole)
    path.parent.mkdir(parents=True)
    part(path).write_bytes(CONTENT[::-1])
    with pytest.raises(MaieuticError, match="checksum"):
        fetch(script.remote, path, patience=QUICK)
    fetch(script.remote, path, patience=QUICK)  # the part was removed
    assert (path.read_bytes(), script.ranges) == (CONTENT, [None])


def test_a_silent_server_is_given_up_and_what_came_is_kept(serve: Callable[..., Script], path: Path) -> None:
    script = serve(stalls)
    with pytest.raises(MaieuticError, match="silent for too long"):
        fetch(script.remote, path, patience=replace(QUICK, silence=0.2, tries=2))
    assert len(script.ranges) == 2
    if part(path).exists():  # on a slow machine, not even the first bytes came in time
        assert part(path).read_bytes() == CONTENT[:100]


def test_nobody_listening_is_one_sentence(serve: Callable[..., Script], path: Path) -> None:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # bound and not listening: calls are refused
        remote = replace(serve(whole).remote, url=f"http://127.0.0.1:{free.getsockname()[1]}/file.json")
        with pytest.raises(MaieuticError, match=r"cannot fetch .*; check the connection") as caught:
            fetch(remote, path, patience=QUICK)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full, a disk without room")
def test_a_full_disk_is_one_sentence(serve: Callable[..., Script], path: Path) -> None:
    script = serve(whole)
    path.parent.mkdir(parents=True)
    part(path).symlink_to("/dev/full")
    with pytest.raises(MaieuticError, match=r"cannot write .*part \(No space left.*make room"):
        fetch(script.remote, path, patience=QUICK)
    assert len(script.ranges) == 1
    assert part(path).is_symlink()  # what came before is kept


def test_a_folder_that_cannot_be_made_is_one_sentence(serve: Callable[..., Script], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(MaieuticError, match=r"cannot write .*check the folder"):
        fetch(serve(whole).remote, tmp_path / "file" / "file.json", patience=QUICK)


def test_redirects_are_followed(serve: Callable[..., Script], path: Path) -> None:
    script = serve(status(302, Location="/elsewhere"), whole)
    fetch(script.remote, path, patience=QUICK)
    assert path.read_bytes() == CONTENT


def test_endless_redirects_end(serve: Callable[..., Script], path: Path) -> None:
    with pytest.raises(MaieuticError, match="cannot fetch"):
        fetch(serve(status(302, Location="/again")).remote, path, patience=QUICK)


def test_only_https_is_fetched_also_after_a_redirect(serve: Callable[..., Script], path: Path) -> None:
    script = serve(status(302, Location="http://example.invalid/file.json"))
    with pytest.raises(MaieuticError, match=r"http://example.invalid/file.json is not https"):
        fetch(script.remote, path, patience=QUICK)
    with pytest.raises(MaieuticError, match="is not https"):
        fetch(replace(script.remote, url="http://example.invalid/"), path, patience=QUICK)
    assert len(script.ranges) == 1


@settings(deadline=None)
@given(cuts=st.lists(st.integers(0, len(CONTENT)), max_size=4))
def test_however_often_it_is_cut_the_file_comes_whole(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int]
) -> None:
    """A transport that obeys ranges and cuts every reply but the last; no server, to be fast."""
    import httpx2

    left = list(cuts)

    def reply(request: httpx2.Request) -> httpx2.Response:
        asked = request.headers.get("Range")
        start = int(re.sub(r"\D", "", asked)) if asked else 0
        end = max(start, left.pop()) if left else len(CONTENT)
        headers = {"Content-Range": f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"} if asked else {}
        return httpx2.Response(206 if asked else 200, headers=headers, stream=_Pieces(CONTENT[start:end]))

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
    with pytest.raises(InputError, match=r"pip install 'maieutic\[bench\]'"):
        fetch(remote, path)


def test_the_cache_is_in_the_users_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAIEUTIC_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder("creak").parts[-3:] == ("maieutic", "datasets", "creak")
