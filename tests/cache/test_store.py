"""The response store: concurrent processes, kills, damage, full disks and the size limit."""

from __future__ import annotations

import os
import re
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.cache import database
from maieutic.cache.database import ROW_BYTES
from maieutic.cache.store import KnownModel, ResponseStore, digest
from maieutic.errors import InputError
from maieutic.files import sqlite

MODEL = KnownModel("fingerprint of a model", "a model")
WRITER = Path(__file__).with_name("response_writer.py")


def answers(start: int, number: int, size: int = 50) -> dict[bytes, bytes]:
    return {digest("key", k): f"{k:0{size}}".encode() for k in range(start, start + number)}


class Notices(list[str]):
    """The notices of a store."""

    @property
    def only(self) -> str:
        (notice,) = self
        assert "\n" not in notice
        return notice


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "SYNCHRONOUS", "OFF")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "responses.sqlite3"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> ResponseStore:
    return ResponseStore(tmp_path_factory.mktemp("shared") / "responses.sqlite3")


@pytest.fixture
def notices() -> Notices:
    return Notices()


@pytest.fixture
def store(path: Path, notices: Notices) -> ResponseStore:
    return ResponseStore(path, on_notice=notices.append)


# -- contents ------------------------------------------------------------------------------------------


@given(batches=st.lists(st.dictionaries(st.integers(0, 7), st.binary(max_size=300), max_size=4), max_size=4))
def test_what_was_put_first_is_what_is_found(shared: ResponseStore, batches: list[dict[int, bytes]]) -> None:
    run = uuid4().hex  # examples share the file, under keys of their own
    expected: dict[bytes, bytes] = {}
    for batch in batches:
        values = {digest(run, key): value for key, value in batch.items()}
        shared.put(MODEL, values)
        expected = values | expected
    assert shared.get(digest(run, key) for key in range(8)) == expected


@given(st.data())
def test_different_parts_never_have_one_digest(data: st.DataObject) -> None:
    part = st.text(st.characters(), max_size=3) | st.integers() | st.floats(allow_nan=False) | st.booleans()
    parts = st.lists(part | st.lists(part, max_size=2), max_size=3)
    one, other = data.draw(parts), data.draw(parts)
    same = repr(one) == repr(other)  # 1, 1.0 and True are not the same
    assert (digest(*one) == digest(*other)) == same
    assert digest("\ud83d\ude00") != digest("😀")


def test_nothing_is_made_before_it_is_needed_and_what_is_made_is_the_owners_alone(
    store: ResponseStore, path: Path
) -> None:
    assert store.contents().entries == 0
    assert not path.parent.exists()
    store.put(MODEL, answers(0, 3))
    files = list(path.parent.iterdir())
    assert path in files
    assert len(files) == 3  # the log is beside it
    if os.name == "posix":
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_neither_fingerprints_nor_keys_words_are_in_the_file(store: ResponseStore, path: Path) -> None:
    store.put(MODEL, {digest("my prompt"): b"the answer"})
    store.close()
    raw = path.read_bytes()
    assert b"the answer" in raw
    assert MODEL.name.encode() in raw
    assert b"my prompt" not in raw
    assert MODEL.fingerprint.encode() not in raw


def test_contents_tell_the_models_apart(store: ResponseStore) -> None:
    store.put(KnownModel("one", "same name"), answers(0, 3))
    store.put(KnownModel("two", "same name"), answers(3, 5))
    store.put(KnownModel("three", "other"), answers(8, 1, size=5000))
    contents = store.contents()
    assert [(share.model, share.entries) for share in contents.models] == [
        ("other", 1),
        ("same name", 5),
        ("same name", 3),
    ]
    assert len({share.id for share in contents.models}) == 3
    assert (contents.entries, contents.set_aside) == (9, ())
    assert contents.bytes == sum(share.bytes for share in contents.models)
    assert contents.bytes == 8 * 50 + 5000 + 9 * (ROW_BYTES + 4)
    assert contents.on_disk > 5000


def test_clearing_says_what_there_was_and_others_begin_anew(
    store: ResponseStore, path: Path, notices: Notices
) -> None:
    store.put(MODEL, answers(0, 5))
    other = ResponseStore(path, on_notice=notices.append)
    other.put(MODEL, answers(5, 5))
    assert other.clear().entries == 10
    assert list(path.parent.iterdir()) == []
    assert store.get(answers(0, 10)) == {}
    store.put(MODEL, answers(0, 2))
    assert other.get(answers(0, 10)) == answers(0, 2)
    store.close()
    other.close()
    assert other.clear().entries == 2
    assert other.clear().on_disk == 0
    assert notices == []


def test_a_limit_of_nothing_is_refused(path: Path) -> None:
    with pytest.raises(InputError) as caught:
        ResponseStore(path, max_bytes=0)
    assert caught.value.subject == "max_bytes"


# -- the limit -----------------------------------------------------------------------------------------


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def test_what_was_used_longest_ago_goes_first(path: Path) -> None:
    clock = Clock()
    each = 50 + 4 + ROW_BYTES
    store = ResponseStore(path, max_bytes=10 * each, clock=clock)
    for start in (0, 5):
        store.put(MODEL, answers(start, 5))
        clock.now += 5000
    assert store.contents().entries == 10  # that is the limit
    store.get(answers(0, 3))
    store.put(MODEL, answers(10, 1))  # one too many: two go, so that nine tenths are left
    assert store.get(answers(0, 11)).keys() == (answers(0, 11).keys() - answers(3, 2).keys())


def test_a_use_is_noted_once_an_hour(path: Path) -> None:
    clock = Clock()
    store = ResponseStore(path, clock=clock)
    store.put(MODEL, answers(0, 1))

    def used() -> int:
        with sqlite3.connect(path) as db:
            (seconds,) = db.execute("SELECT used FROM responses").fetchone()
        db.close()
        return int(seconds)

    clock.now += 3600
    store.get(answers(0, 1))
    assert used() == 1_000_000
    clock.now += 1
    store.get(answers(0, 1))
    assert used() == 1_003_601


@settings(max_examples=10)
@given(st.lists(st.tuples(st.integers(1, 40), st.integers(1, 2000)), min_size=5, max_size=20))
def test_the_bound_is_kept_whatever_comes(
    tmp_path_factory: pytest.TempPathFactory, batches: list[tuple[int, int]]
) -> None:
    limit, start = 50_000, 0
    store = ResponseStore(tmp_path_factory.getbasetemp() / uuid4().hex, max_bytes=limit)
    for number, size in batches:
        store.put(MODEL, answers(start, number, size))
        start += number
        stored = store.get(answers(0, start))
        contents = store.contents()
        assert contents.bytes == sum(len(value) + 4 + ROW_BYTES for value in stored.values()) <= limit
        assert contents.entries == len(stored) > 0
    store.clear()


def test_the_file_stays_near_the_limit(path: Path) -> None:
    store = ResponseStore(path, max_bytes=300_000)
    for start in range(0, 8000, 400):
        store.put(MODEL, answers(start, 400, size=80))
    store.close()
    assert path.stat().st_size < 1.25 * 300_000


def test_an_answer_larger_than_the_limit_is_not_kept(path: Path) -> None:
    store = ResponseStore(path, max_bytes=1000)
    store.put(MODEL, answers(0, 1, size=2000))
    assert store.get(answers(0, 1)) == {}
    assert store.contents().bytes == 0


# -- several processes, threads, kills -----------------------------------------------------------------


def writer(path: Path, name: str, batches: int) -> subprocess.Popen[str]:
    command = [sys.executable, str(WRITER), str(path), name, str(batches)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def batch_of(name: str, number: int) -> dict[bytes, bytes]:
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location("response_writer", WRITER)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    batch: dict[bytes, bytes] = module.batch(name, number)
    return batch


def intact(path: Path) -> bool:
    db = sqlite3.connect(path)
    try:
        rows = db.execute("PRAGMA integrity_check").fetchall()
        (weight,) = db.execute(f"SELECT SUM(LENGTH(value) + {ROW_BYTES}) FROM responses").fetchone()
        (total,) = db.execute("SELECT bytes FROM total").fetchone()
    finally:
        db.close()
    return bool(rows == [("ok",)] and weight == total)


def test_processes_that_begin_and_write_at_once_lose_nothing(path: Path, store: ResponseStore) -> None:
    writers = [writer(path, name, 15) for name in ("a", "b", "c")]
    for process in writers:
        out, err = process.communicate(timeout=300)
        assert (process.returncode, err) == (0, "")
        assert len(out.split()) == 15
    for name in ("a", "b", "c"):
        for number in range(15):
            batch = batch_of(name, number)
            assert store.get(batch) == batch
    store.close()
    assert intact(path)


def test_a_kill_while_writing_loses_nothing_that_was_kept_and_leaves_no_half(
    path: Path, store: ResponseStore
) -> None:
    for name, lines in (("first", 1), ("second", 7), ("third", 20)):
        process = writer(path, name, 0)
        assert process.stdout is not None
        written = [process.stdout.readline() for _ in range(lines)]
        process.kill()
        rest, err = process.communicate(timeout=300)
        assert err == ""
        written += rest.splitlines()
        for number in range(len(written) + 3):
            batch = {k: v for k, v in batch_of(name, number).items() if v.startswith(name.encode())}
            stored = store.get(batch)
            assert stored == batch or (stored == {} and number >= len(written))
    store.close()
    assert intact(path)


def test_threads_may_share_a_store(store: ResponseStore, notices: Notices) -> None:
    def work(start: int) -> None:
        for k in range(start, start + 100, 20):
            store.put(MODEL, answers(k, 20))
            assert store.get(answers(k, 20)) == answers(k, 20)

    threads = [threading.Thread(target=work, args=(start,)) for start in range(0, 400, 50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.get(answers(0, 450)) == answers(0, 450)
    assert notices == []


FORKED = """
import os, sys
from pathlib import Path
from maieutic.cache.store import KnownModel, ResponseStore
store = ResponseStore(Path(sys.argv[1]), on_notice=print)
model = KnownModel("m", "m")
store.put(model, {b"before": b"1"})
child = os.fork()
store.put(model, {b"child" if child == 0 else b"parent": b"2"})
if child == 0:
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
store.put(model, {b"after": b"3"})
assert len(store.get([b"before", b"child", b"parent", b"after"])) == 4
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_opens_the_file_for_itself(path: Path, store: ResponseStore) -> None:
    done = subprocess.run([sys.executable, "-c", FORKED, path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(store.get([b"before", b"child", b"parent", b"after"])) == 4
    store.close()
    assert intact(path)


# -- damage --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ruin",
    [
        lambda raw: b"not a database at all, but long enough to be looked at" * 90,
        lambda raw: raw[: len(raw) // 2],
        lambda raw: raw[:100] + bytes(4000) + raw[4100:],
        lambda raw: raw.replace(b"0000007", b"0000008"),
        lambda raw: raw[:60] + (99).to_bytes(4, "big") + raw[64:],  # another version's
    ],
    ids=["other file", "cut off", "no table", "another answer", "another version"],
)
def test_a_damaged_file_is_moved_aside_and_a_new_one_begun(
    store: ResponseStore, path: Path, notices: Notices, ruin: Callable[[bytes], bytes]
) -> None:
    store.put(MODEL, answers(0, 300))
    store.close()
    ruined = ruin(path.read_bytes())
    path.write_bytes(ruined)
    assert store.get(answers(0, 300)).items() <= answers(0, 300).items()
    assert str(path) in notices.only
    assert "responses.sqlite3.corrupt-1" in notices.only
    aside = path.with_name("responses.sqlite3.corrupt-1")
    assert aside.read_bytes() == ruined
    store.put(MODEL, answers(0, 2))
    assert store.get(answers(0, 300)) == answers(0, 2)
    assert store.contents().set_aside == (str(aside),)
    assert store.clear().on_disk > len(ruined)
    assert list(path.parent.iterdir()) == []


def test_a_file_of_an_earlier_version_is_emptied_and_used(
    store: ResponseStore, path: Path, notices: Notices
) -> None:
    store.put(MODEL, answers(0, 300))
    store.close()
    with closing(sqlite3.connect(path)) as old:
        old.execute("PRAGMA user_version = 1")
    assert store.get(answers(0, 300)) == {}
    assert "earlier version" in notices.only
    contents = store.contents()
    assert (contents.entries, contents.bytes, contents.models, contents.set_aside) == (0, 0, (), ())
    store.put(MODEL, answers(0, 2))
    store.close()
    assert store.get(answers(0, 300)) == answers(0, 2)
    assert len(notices) == 1


def test_a_second_damaged_file_does_not_take_the_place_of_the_first(
    store: ResponseStore, path: Path, notices: Notices
) -> None:
    for _ in range(2):
        store.put(MODEL, answers(0, 1))
        store.close()
        path.write_bytes(b"x" * 5000)
        store.get(answers(0, 1))
    assert [re.findall(r"responses\.sqlite3\.corrupt-\d+", notice) for notice in notices] == [
        [f"responses.sqlite3.corrupt-{n}"] for n in (1, 2)
    ]


@pytest.fixture(scope="module")
def good_file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("good") / "responses.sqlite3"
    store = ResponseStore(path)
    store.put(MODEL, answers(0, 150))
    store.close()
    return path.read_bytes()


@settings(max_examples=25)
@given(data=st.data())
def test_whatever_bytes_are_overwritten_no_wrong_answer_is_given(
    good_file: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "ruined" / "responses.sqlite3"
    path.parent.mkdir(exist_ok=True)
    raw = bytearray(good_file)
    hits = st.tuples(st.integers(0, len(raw) - 1), st.binary(min_size=1, max_size=40))
    for place, junk in data.draw(st.lists(hits, min_size=1, max_size=5)):
        raw[place : place + len(junk)] = junk
    path.write_bytes(raw[: len(good_file)])
    notices = Notices()
    store = ResponseStore(path, on_notice=notices.append)
    try:
        for _ in range(2):
            assert store.get(answers(0, 160)).items() <= answers(0, 160).items()
            store.put(MODEL, answers(140, 20))
            store.contents()
        assert all("\n" not in notice for notice in notices)
        assert len(notices) <= 2
    finally:
        store.clear()


# -- disks that are full or closed ---------------------------------------------------------------------


def test_on_a_full_disk_what_was_kept_is_still_answered_and_it_is_said_once(
    path: Path, notices: Notices, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = sqlite3.connect

    def small(*arguments: Any, **options: Any) -> sqlite3.Connection:
        db: sqlite3.Connection = connect(*arguments, **options)
        db.execute("PRAGMA max_page_count = 40")
        return db

    monkeypatch.setattr(sqlite3, "connect", small)
    store = ResponseStore(path, on_notice=notices.append)
    for start in range(0, 2000, 100):
        store.put(MODEL, answers(start, 100))
    stored = len(store.get(answers(0, 2000)))
    assert 100 <= stored < 2000
    assert stored % 100 == 0  # whole calls only
    assert str(path) in notices.only
    assert "(database or disk is full)" in notices.only


def test_where_no_file_can_be_made_the_run_goes_on_and_it_is_said_once(
    tmp_path: Path, notices: Notices
) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "responses.sqlite3"
    store = ResponseStore(path, on_notice=notices.append)
    for _ in range(3):
        assert store.get(answers(0, 1)) == {}
        store.put(MODEL, answers(0, 1))
    assert str(path) in notices.only


def test_a_process_that_writes_for_ever_is_not_waited_for_again_and_again(
    store: ResponseStore, path: Path, notices: Notices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "PATIENCE", 0.01)
    store.put(MODEL, answers(0, 1))
    greedy = sqlite3.connect(path, isolation_level=None)
    greedy.execute("BEGIN IMMEDIATE")
    try:
        for _ in range(3):
            store.put(MODEL, answers(1, 1))
            assert store.get(answers(0, 2)) == answers(0, 1)
    finally:
        greedy.close()
    assert "(database is locked)" in notices.only


def test_without_a_listener_notices_are_logged(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.parent.mkdir()
    path.write_bytes(b"100 % wrong" * 500)
    store = ResponseStore(path)
    store.get(answers(0, 1))
    store.close()
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert str(path) in record.getMessage()
