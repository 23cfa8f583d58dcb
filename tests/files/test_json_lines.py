"""JSON lines files of trees: plain, gzipped and damaged ones."""

from __future__ import annotations

import gzip
from codecs import BOM_UTF8
from collections.abc import Callable
from pathlib import Path

import pytest

from maieutic.errors import FileFormatError, InputError
from maieutic.files.json_lines import read_records, read_trees
from maieutic.files.reading import read_toml
from maieutic.tree import Proposition, Tree

Write = Callable[[Path, bytes], object]

TREES = [
    Tree(f"Is {name} cold?", f"{name} is cold.", f"{name} is not cold.", (Proposition("Q", None, name, ""),))
    for name in ["Ice", "Schnee ❄", "Line\u2028separator", "Fire"]
]
LINES = [tree.to_json().encode() for tree in TREES]
DANGLING = (
    Tree("q?", "s.", "n.", ())
    .to_json()
    .replace('"nodes":[]', '"nodes":[{"id":"QT0","parent":"Q","statement":"a.","negation":"b."}]')
)
BAD_LINES = {
    "broken JSON": LINES[2][:-5],
    "invalid UTF-8": LINES[2].replace(b"separator", b"\xff\xfe"),
    "two records": LINES[2] + b" " + LINES[2],
    "not an object": b"[1, 2]",
    "a wrong type": LINES[2].replace(b'"question":"', b'"question":7,"was":"'),
    "no tree": DANGLING.encode(),
}


def write_plain(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def write_gzip(path: Path, content: bytes) -> None:
    path.write_bytes(gzip.compress(content))


@pytest.fixture(params=[write_plain, write_gzip], ids=["plain", "gzip"])
def write(request: pytest.FixtureRequest) -> Write:
    writer: Write = request.param
    return writer


@pytest.mark.parametrize("name", ["trees.jsonl", "trees.jsonl.gz", "trees"])
def test_trees_come_with_their_line_numbers_whatever_the_file_is_called(
    tmp_path: Path, write: Write, name: str
) -> None:
    write(tmp_path / name, b"\n".join(LINES) + b"\n")
    assert list(read_trees(tmp_path / name)) == list(enumerate(TREES, 1))
    assert list(read_trees(str(tmp_path / name))) == list(enumerate(TREES, 1))


def test_the_last_line_needs_no_newline_and_lines_may_end_like_windows_lines(
    tmp_path: Path, write: Write
) -> None:
    write(tmp_path / "trees", b"\r\n".join(LINES))
    assert list(read_trees(tmp_path / "trees")) == list(enumerate(TREES, 1))


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path: Path, write: Write) -> None:
    write(tmp_path / "trees", BOM_UTF8 + b"\n".join(LINES))
    assert list(read_trees(tmp_path / "trees")) == list(enumerate(TREES, 1))
    (tmp_path / "settings.toml").write_bytes(BOM_UTF8 + b"depth = 2")
    assert read_toml(tmp_path / "settings.toml") == {"depth": 2}


def test_blank_lines_are_skipped_and_counted(tmp_path: Path, write: Write) -> None:
    write(tmp_path / "trees", b"\n  \t\r\n" + LINES[0] + b"\n\n\n" + LINES[1] + b"\n\n")
    assert list(read_trees(tmp_path / "trees")) == [(3, TREES[0]), (6, TREES[1])]


@pytest.mark.parametrize("content", [b"", b"\n", b" \n\n"])
def test_a_file_with_no_trees_yields_none(tmp_path: Path, write: Write, content: bytes) -> None:
    write(tmp_path / "trees", content)
    assert list(read_trees(tmp_path / "trees")) == []


@pytest.mark.parametrize("bad", BAD_LINES.values(), ids=BAD_LINES)
def test_the_first_bad_line_raises_with_path_and_line(tmp_path: Path, write: Write, bad: bytes) -> None:
    path = tmp_path / "trees"
    write(path, b"\n".join([LINES[0], LINES[1], bad, LINES[3]]))
    reader = read_trees(path)
    assert [next(reader), next(reader)] == [(1, TREES[0]), (2, TREES[1])]
    with pytest.raises(FileFormatError) as caught:
        next(reader)
    assert (caught.value.path, caught.value.line) == (str(path), 3)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("bad", BAD_LINES.values(), ids=BAD_LINES)
def test_with_on_bad_the_other_lines_still_come(tmp_path: Path, write: Write, bad: bytes) -> None:
    path = tmp_path / "trees"
    write(path, b"\n".join([LINES[0], b"", bad, LINES[1], bad, LINES[3]]))
    errors: list[FileFormatError] = []
    assert list(read_trees(path, errors.append)) == [(1, TREES[0]), (4, TREES[1]), (6, TREES[3])]
    assert [(error.path, error.line) for error in errors] == [(str(path), 3), (str(path), 5)]


def test_the_error_of_a_bad_tree_names_the_node(tmp_path: Path) -> None:
    (tmp_path / "trees").write_text(DANGLING, encoding="utf-8")
    with pytest.raises(FileFormatError) as caught:
        list(read_trees(tmp_path / "trees"))
    assert caught.value.line == 1
    assert isinstance(caught.value.__cause__, InputError)
    assert caught.value.__cause__.subject == "QT0"


def test_a_bad_line_names_one_line_only(tmp_path: Path) -> None:
    path = tmp_path / "trees"
    path.write_bytes(b"\n".join([LINES[0], LINES[1], BAD_LINES["broken JSON"]]))
    with pytest.raises(FileFormatError) as caught:
        list(read_trees(path))
    assert "line 1" not in str(caught.value)  # the parser sees the third line as its first


@pytest.mark.parametrize("on_bad", [None, lambda _: None], ids=["raising", "with on_bad"])
def test_truncated_gzip_data_raise_after_the_lines_that_could_be_read(
    tmp_path: Path, on_bad: Callable[[FileFormatError], None] | None
) -> None:
    path = tmp_path / "trees.jsonl.gz"
    # Stored without compression, so that what is left of the data still holds the first line.
    path.write_bytes(gzip.compress(b"\n".join(LINES), compresslevel=0)[: 10 + 5 + len(LINES[0]) + 20])
    trees: list[tuple[int, Tree]] = []
    with pytest.raises(FileFormatError) as caught:
        for numbered in read_trees(path, on_bad):
            trees.append(numbered)
    assert (caught.value.path, caught.value.line) == (str(path), len(trees) + 1)
    assert trees == list(enumerate(TREES, 1))[: len(trees)]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-4],
        lambda data: data[:-12],
        lambda data: data[:6],
        lambda data: data[:-8] + b"\0" * 8,
        lambda data: data[:12] + b"\xff\xff\xff\xff" + data[16:],
        lambda data: data + b"rubbish",
    ],
    ids=["no length", "no checksum", "half a header", "wrong checksum", "overwritten", "trailing rubbish"],
)
def test_damaged_gzip_data_are_named_as_such(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "trees.jsonl.gz"
    path.write_bytes(damage(gzip.compress(b"\n".join(LINES))))
    with pytest.raises(FileFormatError) as caught:
        list(read_trees(path, lambda _: None))
    assert caught.value.path == str(path)


def test_a_missing_file_and_a_folder_say_why_they_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "none.jsonl", tmp_path):
        with pytest.raises(FileFormatError) as caught:
            list(read_trees(path, lambda _: None))
        assert (caught.value.path, caught.value.line) == (str(path), None)


def test_nothing_is_opened_before_the_first_record_is_asked_for(tmp_path: Path) -> None:
    reader = read_trees(tmp_path / "later")
    write_plain(tmp_path / "later", LINES[0])
    assert list(reader) == [(1, TREES[0])]


def test_a_reader_left_early_closes_its_file(tmp_path: Path, write: Write) -> None:
    write(tmp_path / "trees", b"\n".join(LINES))
    for number, tree in read_trees(tmp_path / "trees"):
        assert (number, tree) == (1, TREES[0])
        break  # a file left open would be a ResourceWarning, which fails the test


def test_any_parser_of_one_line_will_do(tmp_path: Path, write: Write) -> None:
    def number(line: bytes) -> int:
        if not line.strip().isdigit():
            raise InputError(f"{line!r} is not a number", subject="line")
        return int(line)

    write(tmp_path / "numbers", b"10\n\nten\n 30 \n")
    errors: list[FileFormatError] = []
    assert list(read_records(tmp_path / "numbers", number, errors.append)) == [(1, 10), (4, 30)]
    assert [error.line for error in errors] == [3]
