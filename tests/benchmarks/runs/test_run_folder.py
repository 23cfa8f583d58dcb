"""A run survives kill -9 anywhere; folders of other runs, edited files and second writers are refused."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from dataclasses import replace
from operator import attrgetter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.benchmarks.datasets.base import Item
from maieutic.benchmarks.datasets.drawing import draw
from maieutic.benchmarks.methods.base import Outcome, Usage
from maieutic.benchmarks.runs.config import RunConfig, read_config
from maieutic.benchmarks.runs.folder import CONFIG, RECORDS, RunFolder, read_run
from maieutic.benchmarks.runs.records import Record
from maieutic.benchmarks.runs.runner import run, unanswered
from maieutic.errors import FileFormatError, InputError
from maieutic.files.writing import remove_unfinished_line

CHILD = Path(__file__).with_name("interrupted_run.py")
CONFIGURED = RunConfig("agora", "direct").complete()


def record(number: int) -> Record:
    return Record.of(Item(f"q{number}", f"Text {number}.", True), Outcome(True, p_true=0.9))


def test_a_killed_run_loses_repeats_and_halves_nothing(tmp_path: Path) -> None:
    """Killed at 20 random bytes of what it writes, started again each time."""
    rng = random.Random(4)
    kills = 0
    while True:
        budget = str(rng.randrange(1, 700)) if kills < 20 else ""
        done = subprocess.run(
            [sys.executable, CHILD, tmp_path / "run", budget], capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        kills += 1
    assert kills == 20
    records = read_run(tmp_path / "run").records
    assert [r.id for r in records] == [f"q{n}" for n in range(60)]
    assert all(r.text == f"Text {r.id[1:]}." and r.answer is not None for r in records)
    assert (tmp_path / "run" / RECORDS).read_bytes().endswith(b"}\n")


@settings(deadline=None)
@given(
    st.lists(st.binary(max_size=40).map(lambda b: b.replace(b"\n", b"")), max_size=5), st.binary(max_size=9)
)
def test_only_what_follows_the_last_newline_is_removed(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], rest: bytes
) -> None:
    path = tmp_path_factory.mktemp("cut") / "file"
    whole = b"".join(line + b"\n" for line in lines)
    path.write_bytes(whole + rest.replace(b"\n", b""))
    remove_unfinished_line(path)
    assert path.read_bytes() == whole


def test_an_unfinished_line_longer_than_a_read_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"{}\n" + b"x" * 200_000)
    remove_unfinished_line(path)
    assert path.read_bytes() == b"{}\n"


def test_a_finished_folder_reads_back(tmp_path: Path) -> None:
    written = [record(n) for n in range(3)]
    with RunFolder(tmp_path / "run", CONFIGURED) as folder:
        folder.write(written)
    found = read_run(tmp_path / "run")
    assert found.records == tuple(written)
    assert found.config == CONFIGURED
    assert found.name == "direct"


def test_another_run_is_refused(tmp_path: Path) -> None:
    with RunFolder(tmp_path, CONFIGURED):
        pass
    with pytest.raises(InputError) as refused, RunFolder(tmp_path, replace(CONFIGURED, seed=1)):
        pass
    assert refused.value.subject == "seed"


def test_a_setting_that_differs_is_named(tmp_path: Path) -> None:
    with RunFolder(tmp_path, RunConfig("agora", settings={"depth": 1}).complete()):
        pass
    other = RunConfig("agora", settings={"depth": 2, "tries": 5}).complete()
    with (
        pytest.raises(InputError, match=r"\(depth: 2, not 1; tries: 5, not \d+\)"),
        RunFolder(tmp_path, other),
    ):
        pass


@pytest.mark.parametrize(
    ("before", "after", "raised"), [(3, 5, True), (3, 0, True), (5, 3, False), (0, 3, False)]
)
def test_a_limit_can_be_raised_and_not_lowered(before: int, after: int, raised: bool, tmp_path: Path) -> None:
    first, second = (replace(CONFIGURED, limit=limit) for limit in (before, after))
    facts = {"configuration": {}, "data": {"asked": before}, "machine": {"cores": 2}}
    with RunFolder(tmp_path, first) as folder:
        folder.write([record(1)])
        folder.write_provenance(json.dumps(facts))
    if not raised:
        with pytest.raises(InputError) as refused, RunFolder(tmp_path, second):
            pass
        assert refused.value.subject == "limit"
        return
    with RunFolder(tmp_path, second) as folder:
        assert folder.answered == {record(1).id}
        folder.write_provenance(json.dumps(facts | {"data": {"asked": after}, "machine": {"cores": 64}}))
    assert read_run(tmp_path).config == second
    stored = json.loads((tmp_path / "run.json").read_text())
    assert (stored["data"], stored["machine"]) == ({"asked": after}, {"cores": 2})


def test_a_run_from_before_a_setting_was_added_goes_on(tmp_path: Path) -> None:
    config = RunConfig("agora", settings={"depth": 1, "widths": (2,)}).complete()
    lines = config.to_toml().splitlines()
    kept = [line for line in lines if line.partition(" ")[0] not in ("tries", "top_p")]
    assert len(kept) == len(lines) - 2
    (tmp_path / CONFIG).write_text("\n".join(kept), encoding="utf-8")
    with RunFolder(tmp_path, config) as folder:
        assert not folder.answered


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(InputError) as refused, RunFolder(tmp_path, CONFIGURED):
        pass
    assert refused.value.subject == "thesis.tex"
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix) == ["thesis.tex"]


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    with (
        RunFolder(tmp_path, CONFIGURED),
        pytest.raises(InputError) as refused,
        RunFolder(tmp_path, CONFIGURED),
    ):
        pass
    assert refused.value.subject == "lock"
    with RunFolder(tmp_path, CONFIGURED):  # the lock is gone with its holder
        pass


def test_a_question_that_stands_twice_is_named(tmp_path: Path) -> None:
    with RunFolder(tmp_path, CONFIGURED) as folder:
        folder.write([record(1), record(1)])
    with pytest.raises(FileFormatError) as refused:
        read_run(tmp_path)
    assert refused.value.path == str(tmp_path / RECORDS)
    assert "'q1'" in str(refused.value)


def test_an_edited_line_is_named(tmp_path: Path) -> None:
    with RunFolder(tmp_path, CONFIGURED) as folder:
        folder.write([record(1), record(2)])
    path = tmp_path / RECORDS
    path.write_text(path.read_text().replace('"gold":true', '"gold":"yes"', 1))
    with pytest.raises(FileFormatError) as refused:
        read_run(tmp_path)
    assert (refused.value.path, refused.value.line) == (str(path), 1)
    assert "gold" in refused.value.problem


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ('dataset = "agora"', 'dataset = "gsm8k"'),
        ("seed = 0", 'seed = "0"'),
        ("seed = 0", "seed = -1"),
        ('method = "direct"', 'method = "oracle"'),
        ("seed = 0", "seeds = 0"),
        ("seed = 0", "seed = "),
    ],
)
def test_an_edited_configuration_is_refused_by_file(tmp_path: Path, change: str, complaint: str) -> None:
    path = tmp_path / CONFIG
    text = CONFIGURED.to_toml()
    assert change in text
    path.write_text(text.replace(change, complaint))
    with pytest.raises(FileFormatError) as refused:
        read_config(path)
    assert refused.value.path == str(path)


def test_a_configuration_is_complete_and_reads_back(tmp_path: Path) -> None:
    config = RunConfig("agora", "self-consistency", {"samples": "4"}, limit=10, seed=3).complete()
    path = tmp_path / CONFIG
    path.write_text(config.to_toml())
    assert read_config(path) == config
    assert config.settings["samples"] == 4
    assert config.complete() == config


ITEMS = st.lists(
    st.tuples(st.booleans(), st.sampled_from(["", "", "a", "b", "c"])).map(lambda t: t), max_size=30
).map(lambda rows: [Item(str(n), f"T{n}.", gold, pair) for n, (gold, pair) in enumerate(rows)])


@settings(deadline=None)
@given(ITEMS, st.integers(0, 40), st.integers(0, 5))
def test_a_draw_keeps_order_and_twins(items: list[Item], limit: int, seed: int) -> None:
    drawn = draw(items, limit, seed, attrgetter("pair"))
    assert drawn == [item for item in items if item in drawn]
    assert len(drawn) >= min(limit, len(items)) if limit else drawn == items
    for name in {item.pair for item in drawn} - {""}:
        assert {i.id for i in items if i.pair == name} <= {i.id for i in drawn}
    assert drawn == draw(items, limit, seed, attrgetter("pair"))


def test_a_draw_without_twins_has_exactly_the_limit() -> None:
    items = [Item(str(n), "T.", True) for n in range(100)]
    assert len(draw(items, 17, 0)) == 17
    assert draw(items, 17, 0) != draw(items, 17, 1)


class Flaky:
    """Fails on every batch that holds a text with "bad" in it."""

    uses_verifier = False

    def run(self, texts: list[str], models: object) -> list[Outcome]:
        if any("bad" in text for text in texts):
            raise InputError("this text is bad; remove it")
        return [Outcome(True, usage=Usage(calls=1)) for _ in texts]


def test_a_question_that_fails_is_unscored_and_the_others_are_not() -> None:
    items = [Item(str(n), "bad." if n % 7 == 3 else "good.", True) for n in range(20)]
    batches = list(run(items, Flaky(), None, 8))  # type: ignore[arg-type]
    assert [len(batch) for batch in batches] == [8, 8, 4]
    records = [record for batch in batches for record in batch]
    assert [r.id for r in records] == [item.id for item in items]
    for made, item in zip(records, items, strict=True):
        assert made.scored == ("bad" not in item.text)
        assert (made.problem == "this text is bad; remove it") == (not made.scored)
    assert unanswered(items, {record.id for record in records[:5]}) == items[5:]


def test_a_run_stops_between_batches() -> None:
    seen: list[int] = []
    batches = run([Item(str(n), "T.", True) for n in range(9)], Flaky(), None, 3, lambda: len(seen) >= 2)  # type: ignore[arg-type]
    for batch in batches:
        seen.append(len(batch))
    assert seen == [3, 3]


def test_json_of_a_record_is_one_line() -> None:
    text = Record.of(Item("a", "Two\u2028lines\n.", True), Outcome(None, problem="x\ny")).to_json()
    assert "\n" not in text
    assert json.loads(text)["text"] == "Two\u2028lines\n."
    assert Record.from_json(text).problem == "x\ny"
