"""Data sets: every row of the published files, round trips of synthetic rows, every error."""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import io
import json
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from maieutic.benchmarks import datasets as package
from maieutic.benchmarks.datasets import DATASETS, ROWS, load_items
from maieutic.benchmarks.datasets.base import Item, RemoteFile
from maieutic.benchmarks.datasets.fetch import cache_folder
from maieutic.cli.bench.datasets import datasets
from maieutic.errors import FileFormatError, InputError
from maieutic.text import as_question

SHARED = Path(__file__).parents[4] / "shared" / "data"

Rows = list[dict[str, Any]]

# Data set and split, the file, true rows, and the names of its columns and labels.
REAL = [
    ("csqa2", "train", "CSQA2_train.json.gz", 4632, ("id", "question", "answer", "yes")),
    ("csqa2", "dev", "CSQA2_dev.json.gz", 1225, ("id", "question", "answer", "yes")),
    ("creak", "train", "train.json.gz", 5088, ("ex_id", "sentence", "label", "true")),
    ("creak", "dev", "dev.json.gz", 691, ("ex_id", "sentence", "label", "true")),
    ("creak", "contrast", "contrast_set.json.gz", 250, ("ex_id", "sentence", "label", "true")),
    ("com2sense", "train", "train.json", 804, ("id", "sent", "label", "True")),
]


def real(name: str) -> Path:
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    return folder


def plainly(path: Path) -> Rows:
    """The rows of a published file, read without any of the code under test."""
    content = path.read_bytes()
    text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
    rows: Rows = (
        json.loads(text) if text.startswith("[") else [json.loads(line) for line in text.splitlines()]
    )
    return rows


@pytest.mark.parametrize(("name", "split", "file", "true", "columns"), REAL)
def test_every_row_of_the_published_files_is_read(
    name: str, split: str, file: str, true: int, columns: tuple[str, ...]
) -> None:
    folder = real(name)
    loaded = load_items(name, data=folder, split=split)
    key, text, label, yes = columns
    rows = plainly(folder / file)
    assert [(item.id, item.text, item.gold) for item in loaded.items] == [
        (row[key], " ".join(row[text].split()), row[label] == yes) for row in rows
    ]
    assert len(loaded.items) == len({item.id for item in loaded.items}) == ROWS[name][split]
    assert sum(bool(item.gold) for item in loaded.items) == true
    assert (loaded.dataset, loaded.split, loaded.folder, loaded.edited) == (name, split, folder, ())
    assert loaded.files[0] == folder / file


def test_the_contrast_set_of_creak_has_its_twins_side_by_side() -> None:
    """All pairs but three, whose ids are mixed up in the published file; twins differ in truth."""
    folder = real("creak")
    items = load_items("creak", data=folder, split="contrast").items
    published = {row["ex_id"]: row["pair_id"] for row in plainly(folder / "contrast_set.json.gz")}
    golds: dict[str, list[bool]] = {}
    for item in items:
        if item.pair:
            assert item.pair == published[item.id]
            golds.setdefault(item.pair, []).append(bool(item.gold))
    assert len(golds) == 247
    assert all(sorted(pair) == [False, True] for pair in golds.values())
    assert {published[item.id] for item in items if not item.pair} == {"p_18", "p_27", "p_74"}


def test_every_statement_of_com2sense_train_has_its_twin() -> None:
    folder = real("com2sense")
    twins = json.loads((folder / "pair_id_train.json").read_text())
    items = {item.id: item for item in load_items("com2sense", data=folder, split="train").items}
    assert len(twins) == len(items) == 1608
    assert len({item.pair for item in items.values()}) == 804
    for item in items.values():
        twin = items[twins[item.id]]
        assert (twin.pair, twins[twin.id], twin.gold) == (item.pair, item.id, not item.gold)


def test_an_edited_published_file_is_read_and_said_to_be_edited(tmp_path: Path) -> None:
    content = gzip.decompress((real("creak") / "dev.json.gz").read_bytes())
    published = load_items("creak", data=real("creak"))
    (tmp_path / "dev.json").write_bytes(content)
    unzipped = load_items("creak", data=tmp_path)
    assert (unzipped.items, unzipped.sha256, unzipped.edited) == (published.items, published.sha256, ())
    (tmp_path / "dev.json").write_bytes(content.replace(b'"label": "false"', b'"label": "true"', 1))
    edited = load_items("creak", data=tmp_path)
    assert edited.edited == ("dev.json",)
    assert edited.sha256 != published.sha256
    assert (
        sum(bool(item.gold) for item in edited.items) == sum(bool(item.gold) for item in published.items) + 1
    )


def test_the_checksum_of_one_file_is_that_of_its_content_and_of_several_of_all_in_order() -> None:
    folder = real("com2sense")
    both = b"".join((folder / name).read_bytes() for name in ("train.json", "pair_id_train.json"))
    loaded = load_items("com2sense", data=folder, split="train")
    assert loaded.sha256 == hashlib.sha256(both).hexdigest()
    dev = gzip.decompress((real("csqa2") / "CSQA2_dev.json.gz").read_bytes())
    assert load_items("csqa2", data=real("csqa2")).sha256 == hashlib.sha256(dev).hexdigest()


@pytest.mark.parametrize("split", ["train", "dev", "test"])
def test_agora_is_balanced_and_the_same_every_time(split: str) -> None:
    loaded = load_items("agora", split=split)
    assert len({item.id for item in loaded.items}) == len(loaded.items) == ROWS["agora"][split]
    assert 2 * sum(bool(item.gold) for item in loaded.items) == len(loaded.items)
    assert all(item.id.count(":") == 1 and not item.pair for item in loaded.items)
    assert (loaded.folder, loaded.files, loaded.edited) == (None, (), ())
    if split == "dev":
        assert load_items("agora", split=split) == loaded


# Made-up rows in every format: how each data set writes an item.


def as_csqa2(item: Item) -> dict[str, Any]:
    return {"id": item.id, "question": item.text, "answer": "yes" if item.gold else "no", "confidence": 0.5}


def as_creak(item: Item) -> dict[str, Any]:
    row = {"ex_id": item.id, "sentence": item.text, "label": str(item.gold).lower(), "explanation": "n/a"}
    return row | ({"pair_id": item.pair} if item.pair else {})


def as_com2sense(item: Item) -> dict[str, Any]:
    return {"id": item.id, "sent": item.text, "label": str(item.gold), "numeracy": "False"}


def as_strategyqa(item: Item) -> dict[str, Any]:
    return {"qid": item.id, "question": item.text, "answer": item.gold, "evidence": [[["no_evidence"]]]}


def as_lines(rows: Rows) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def as_array(rows: Rows) -> bytes:
    return json.dumps(rows, indent=4).encode()


def as_table(rows: Rows, delimiter: str = ",") -> bytes:
    written = io.StringIO(newline="")
    if delimiter == "\t":  # without quotation, so that a field cannot hold tabs and line breaks
        for row in [dict(zip(rows[0], rows[0], strict=True)), *rows]:
            written.write("\t".join(" ".join(str(value).split()) for value in row.values()) + "\n")
        return written.getvalue().encode("utf-8-sig")
    writer = csv.DictWriter(written, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return written.getvalue().encode("utf-8-sig")


def put(folder: Path, name: str, content: bytes, zipped: bool = False) -> Path:
    path = folder / (f"{name}.gz" if zipped and not name.endswith(".gz") else name)
    path.write_bytes(gzip.compress(content) if zipped else content)
    return path


def pairs_of(items: Sequence[Item]) -> dict[str, str]:
    """The pair file of items of which each and its successor are twins."""
    ids = [item.id for item in items]
    return dict(zip(ids[::2], ids[1::2], strict=True)) | dict(zip(ids[1::2], ids[::2], strict=True))


def writable(text: str) -> bool:
    """Whether a text is one that can be asked, and that a file can hold in UTF-8."""
    try:
        return bool(as_question(text))
    except InputError:
        return False


texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=60).filter(writable)


@st.composite
def made_up(draw: st.DrawFn, twins: bool = False) -> list[Item]:
    """Items with unique ids; with ``twins`` an even number, of which neighbours are a pair that differs."""
    count = draw(st.integers(1, 4))
    golds = draw(st.lists(st.booleans(), min_size=count, max_size=count))
    if not twins:
        return [Item(f"q-{number}", draw(texts), gold) for number, gold in enumerate(golds)]
    return [
        Item(f"{number}{side}", draw(texts), gold == (side == "a"), f"p{number}")
        for number, gold in enumerate(golds)
        for side in "ab"
    ]


def expected(items: Sequence[Item], pair: Callable[[Item], str] = lambda item: item.pair) -> list[Item]:
    return [Item(item.id, as_question(item.text), item.gold, pair(item)) for item in items]


@settings(deadline=None)
@given(items=made_up(), zipped=st.booleans(), seed=st.integers(0, 9))
def test_made_up_rows_come_back(items: list[Item], zipped: bool, seed: int) -> None:
    random.Random(seed).shuffle(items)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for dataset, split, file, row, write in (
            ("csqa2", "dev", "CSQA2_dev.json.gz", as_csqa2, as_lines),
            ("creak", "dev", "dev.json", as_creak, as_lines),
            ("strategyqa", "train", "strategyqa_train.json", as_strategyqa, as_array),
        ):
            put(folder, file, write(list(map(row, items))), zipped)
            loaded = load_items(dataset, data=folder, split=split)
            assert list(loaded.items) == expected(items)
            assert loaded.edited == (() if dataset == "strategyqa" else (file,))


@settings(deadline=None)
@given(items=made_up(twins=True), zipped=st.booleans())
def test_made_up_twins_come_back(items: list[Item], zipped: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        put(folder, "contrast_set.json", as_lines(list(map(as_creak, items))), zipped)
        assert list(load_items("creak", data=folder, split="contrast").items) == expected(items)
        put(folder, "dev.json", as_array(list(map(as_com2sense, items))), zipped)
        put(folder, "pair_id_dev.json", json.dumps(pairs_of(items)).encode())
        loaded = load_items("com2sense", data=folder)
        assert list(loaded.items) == expected(items, lambda item: f"{item.id[:-1]}a+{item.id[:-1]}b")


SPELLINGS = {
    True: ["true", "True", "TRUE", "yes", "Yes", "1", "1.0", "1.", True, 1, 1.0],
    False: ["false", "False", "FALSE", "no", "No", "0", "0.0", "0.00", False, 0, 0.0],
}


@settings(deadline=None)
@given(
    items=made_up(),
    columns=st.tuples(
        st.sampled_from(["statement", "Question", "sentence", "sent", "TEXT", "claim"]),
        st.sampled_from(["label", "Answer", "gold", "truth", "gold_label", "TARGET"]),
        st.sampled_from(["id", "qid", "ex_id", "UID", ""]),
    ),
    seed=st.integers(0, 99),
)
def test_files_of_ones_own_come_back(items: list[Item], columns: tuple[str, str, str], seed: int) -> None:
    rng = random.Random(seed)
    text, gold, key = columns
    rows: Rows = [
        {"note": "true", text: item.text, gold: rng.choice(SPELLINGS[bool(item.gold)])}
        | ({key: item.id} if key else {})
        for item in items
    ]
    with tempfile.TemporaryDirectory() as name:
        for file, content in (
            ("rows.jsonl", as_lines(rows)),
            ("rows.json", as_array(rows)),
            ("rows.csv", as_table(rows)),
            ("ROWS.TSV", as_table(rows, "\t")),
        ):
            path = put(Path(name), file, content, zipped=rng.random() < 0.5)
            loaded = load_items("file", data=path)
            assert [(item.text, item.gold) for item in loaded.items] == [
                (as_question(item.text), item.gold) for item in items
            ]
            if key:
                assert [item.id for item in loaded.items] == [item.id for item in items]
            assert (loaded.split, loaded.folder, loaded.files) == ("all", Path(name), (path,))


def test_rows_without_an_id_are_named_by_their_line(tmp_path: Path) -> None:
    path = put(tmp_path, "rows.csv", b'text,label\n"Ice\nis cold.",1\n\nFire is cold.,no\n')
    items = load_items("file", data=path).items
    assert items == (Item("2", "Ice is cold.", True), Item("5", "Fire is cold.", False))


def test_a_quotation_mark_in_a_tsv_is_a_character(tmp_path: Path) -> None:
    path = put(
        tmp_path, "rows.tsv", b'text\tlabel\n"Open the door.\t0\n"Ice" is 5" thick."\tyes\r\nOh "\t1\n'
    )
    assert load_items("file", data=path).items == (
        Item("2", '"Open the door.', False),
        Item("3", '"Ice" is 5" thick."', True),
        Item("4", 'Oh "', True),
    )


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json", "rows.csv", "rows.tsv"])
def test_a_byte_order_mark_is_no_part_of_the_data(tmp_path: Path, name: str, zipped: bool) -> None:
    rows: Rows = [{"id": 7.0, "text": "Ice.", "label": 1.0}, {"id": 8.0, "text": "Fire.", "label": 0.0}]
    write = {"rows.jsonl": as_lines, "rows.json": as_array}.get(name)
    content = write(rows) if write else as_table(rows, "\t" if name == "rows.tsv" else ",")
    path = put(tmp_path, name, codecs.BOM_UTF8 + content.removeprefix(codecs.BOM_UTF8), zipped)
    items = load_items("file", data=path).items
    assert [(item.text, item.gold) for item in items] == [("Ice.", True), ("Fire.", False)]
    assert [item.id for item in items] == (["7", "8"] if write else ["7.0", "8.0"])


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("rows.txt", b"text,label\na,1\n", None),
        ("rows.csv", b"", None),
        ("rows.csv", b"text,label\n", None),
        ("rows.csv", b"text,verdict\nIce.,1\n", None),
        ("rows.csv", b"text;label\nIce.;1\n", None),
        ("rows.csv", b"text,claim,label\nIce.,Ice.,1\n", None),
        ("rows.csv", b"text,label,Gold\nIce.,1,1\n", None),
        ("rows.csv", b"text,label,label\nIce.,1,0\n", 1),
        ("rows.csv", b"text,label\nIce.,1\nIce, cold.,1\n", 3),
        ("rows.csv", b'text,label\nIce.,1\n"Ice,1\n', 3),
        ("rows.tsv", b'text\tlabel\n"Ice is\ncold."\t1\n', 2),
        ("rows.tsv", b'"text"\t"label"\nIce.\t1\n', None),
        ("rows.csv", b"text,label\nIce.,0.5\n", 2),
        ("rows.csv", b"text,label\nIce.,-1.0\n", 2),
        ("rows.csv", "text,label\nIce.,1\n".encode("utf-16"), None),
        ("rows.csv", b"text,label\nIce.,maybe\n", 2),
        ("rows.csv", b"text,label\nIce.,\n", 2),
        ("rows.csv", b"text,label\n ,1\nIce.,1\n", 2),
        ("rows.csv", b"text,label\n" + b"x" * 2001 + b",1\n", 2),
        ("rows.csv", b"id,text,label\nq,Ice.,1\nq,Fire.,1\n", 3),
        ("rows.csv", b"id,text,label\n,Ice.,1\n", 2),
        ("rows.csv", b"text,label\n\xff,1\n", None),
        ("rows.jsonl", b'{"text": "Ice.", "label": 1}\n{"text": "Ice."}\n', 2),
        ("rows.jsonl", b'{"text": "Ice.", "label": 1}\n{"text": \n', 2),
        ("rows.jsonl", b'{"text": "Ice.", "label": 2}\n', 1),
        ("rows.jsonl", b'{"text": "Ice.", "label": 0.1}\n', 1),
        ("rows.jsonl", b'{"text": "Ice.", "label": NaN}\n', 1),
        ("rows.jsonl", b'{"text": "Ice.", "label": null}\n', 1),
        ("rows.jsonl", b'{"text": 7, "label": 1}\n', 1),
        ("rows.jsonl", b'{"text": "\\ud800", "label": 1}\n', 1),
        ("rows.jsonl", b'{"id": 1.5, "text": "Ice.", "label": 1}\n', 1),
        ("rows.jsonl", b"\xff\n", 1),
        ("rows.jsonl", b'"Ice."\n', 1),
        ("rows.json", b'[{"text": "Ice.", "label": 1}, 7]', None),
        ("rows.json", b'[{"text": "Ice.",\n "label": 1},', 2),
        ("rows.json", b"[" * 100_000, None),
        ("rows.json", b"[]", None),
        ("rows.jsonl.gz", b"\x1f\x8b\x08nothing", None),
    ],
)
def test_a_file_of_ones_own_is_refused_with_path_and_line(
    tmp_path: Path, name: str, content: bytes, line: int | None
) -> None:
    path = put(tmp_path, name, content)
    with pytest.raises(FileFormatError) as caught:
        load_items("file", data=path)
    assert (caught.value.path, caught.value.line) == (str(path), line)
    assert "\n" not in str(caught.value)


ITEMS = [
    Item("0a", "Ice is cold.", True, "p0"),
    Item("0b", "Ice is hot.", False, "p0"),
    Item("1a", "A fish swims?", True, "p1"),
    Item("1b", "A fish flies?", False, "p1"),
]

Edit = Callable[[Rows], object]

# Data set → split, its file, how a row and the rows are written, and the line of the third row.
WRITTEN: Mapping[
    str, tuple[str, str, Callable[[Item], dict[str, Any]], Callable[[Rows], bytes], int | None]
] = {
    "csqa2": ("train", "CSQA2_train.json.gz", as_csqa2, as_lines, 3),
    "creak": ("contrast", "contrast_set.json", as_creak, as_lines, 3),
    "com2sense": ("train", "train.json", as_com2sense, as_array, None),
    "strategyqa": ("train", "strategyqa_train.json", as_strategyqa, as_array, None),
}
COLUMNS = {
    "csqa2": ("id", "question", "answer"),
    "creak": ("ex_id", "sentence", "label"),
    "com2sense": ("id", "sent", "label"),
    "strategyqa": ("qid", "question", "answer"),
}


def spoiled(folder: Path, name: str, edit: Edit, pairs: Mapping[str, Any] | None = None) -> FileFormatError:
    """The error of a data set whose rows were edited."""
    split, file, row, write, _ = WRITTEN[name]
    rows = list(map(row, ITEMS))
    edit(rows)
    put(folder, file, write(rows))
    put(folder, "pair_id_train.json", json.dumps(pairs or pairs_of(ITEMS)).encode())
    with pytest.raises(FileFormatError) as caught:
        load_items(name, data=folder, split=split)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("column", [0, 1, 2])
def test_a_missing_key_and_a_wrong_type_are_named(tmp_path: Path, name: str, column: int) -> None:
    key, (_, file, _, _, line) = COLUMNS[name][column], WRITTEN[name]
    edits: list[Edit] = [lambda rows: rows[2].pop(key), lambda rows: rows[2].update({key: 7})]
    for edit in edits:
        error = spoiled(tmp_path, name, edit)
        assert (error.path, error.line) == (str(tmp_path / file), line)
        assert isinstance(error.__cause__, InputError)
        assert error.__cause__.subject == key


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize(
    ("column", "value"),
    [(0, "0a"), (0, ""), (1, " \n"), (1, "long " * 500), (2, "perhaps"), (2, None)],
    ids=["id twice", "no id", "no text", "long text", "odd label", "null label"],
)
def test_a_wrong_value_is_refused_by_row(tmp_path: Path, name: str, column: int, value: object) -> None:
    _, file, _, _, line = WRITTEN[name]
    pairs = pairs_of(ITEMS[:2]) | {"": "1b", "1b": ""} if value == "" else None
    error = spoiled(tmp_path, name, lambda rows: rows[2].update({COLUMNS[name][column]: value}), pairs)
    assert (error.path, error.line) == (str(tmp_path / file), line)
    assert line or "row 3" in error.problem


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize(
    ("content", "line"), [(b"", None), (b"\n \n", None), (b"[]", None), (b"{", 1), (b"7", 1)]
)
def test_a_file_without_rows_is_refused(tmp_path: Path, name: str, content: bytes, line: int | None) -> None:
    split, file, *_ = WRITTEN[name]
    put(tmp_path, file, content)
    put(tmp_path, "pair_id_train.json", b"{}")
    with pytest.raises(FileFormatError) as caught:
        load_items(name, data=tmp_path, split=split)
    assert (caught.value.path, caught.value.line) == (str(tmp_path / file), line)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_contrast_pair_must_be_one_true_and_one_false_row(tmp_path: Path, count: int) -> None:
    def edit(rows: Rows) -> None:
        rows[2]["pair_id"] = "p0" if count == 3 else "p9" if count == 1 else ""
        rows[0], rows[2] = rows[2], rows[0]

    error = spoiled(tmp_path, "creak", edit)
    assert error.line == 1
    error = spoiled(tmp_path, "creak", lambda rows: rows[3].update(label="true"))
    assert error.line == 3


@pytest.mark.parametrize(
    ("pairs", "file"),
    [
        ({"0a": "0b", "0b": "0a"}, "train.json"),
        (pairs_of(ITEMS) | {"0a": "1a"}, "pair_id_train.json"),
        (pairs_of(ITEMS) | {"0a": "0a"}, "pair_id_train.json"),
        (pairs_of(ITEMS) | {"0a": "9"}, "pair_id_train.json"),
        (pairs_of(ITEMS) | {"0a": "9", "9": "0a", "0b": "8", "8": "0b"}, "train.json"),
        (pairs_of(ITEMS) | {"0a": 7}, "pair_id_train.json"),
        (["0a"], "pair_id_train.json"),
    ],
    ids=["unpaired", "not mutual", "itself", "nobody", "no row", "no text", "no object"],
)
def test_twins_of_com2sense_must_be_there_and_mutual(tmp_path: Path, pairs: Any, file: str) -> None:
    error = spoiled(tmp_path, "com2sense", lambda rows: None, pairs)
    assert (error.path, error.line) == (str(tmp_path / file), None)


def test_a_dev_row_of_com2sense_may_have_lost_its_twin(tmp_path: Path) -> None:
    put(tmp_path, "dev.json", as_array(list(map(as_com2sense, ITEMS[:3]))))
    put(tmp_path, "pair_id_dev.json", json.dumps(pairs_of(ITEMS)).encode())
    assert [item.pair for item in load_items("com2sense", data=tmp_path).items] == ["0a+0b", "0a+0b", ""]


@pytest.mark.parametrize(
    ("name", "options", "subject", "data"),
    [
        ("csqa3", {}, "name", list(DATASETS)),
        ("csqa2", {"split": "test"}, "split", ["train", "dev"]),
        ("agora", {"split": "all"}, "split", ["train", "dev", "test"]),
        ("agora", {"data": Path()}, "data", []),
        ("csqa2", {}, "download", ["0.2 MB", "CSQA2_dev.json.gz", "--download"]),
        ("com2sense", {}, "data", ["pair_id_dev.json", "https://github.com/Plus"]),
        ("strategyqa", {"download": True}, "data", ["https://", "dataset.zip"]),
        ("creak", {"data": Path("nowhere")}, "data", ["nowhere", "dev.json"]),
        ("creak", {"data": Path(__file__)}, "data", ["test_datasets.py", "dev.json"]),
        ("creak", {"data": Path()}, "data", ["dev.json", "https://", "--download"]),
        ("strategyqa", {"data": Path()}, "data", ["strategyqa_train.json", "https://"]),
        ("file", {}, "data", [".jsonl"]),
        ("file", {"data": Path()}, "data", [".jsonl"]),
        ("file", {"data": Path("nowhere.csv")}, "nowhere.csv", []),
    ],
)
def test_what_cannot_be_loaded_is_said_with_the_remedy(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    options: dict[str, Any],
    subject: str,
    data: list[str],
) -> None:
    monkeypatch.setenv("MAIEUTIC_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        load_items(name, **options)
    assert caught.value.subject == subject
    assert all(word in str(caught.value) for word in data)
    assert "\n" not in str(caught.value)


def test_what_the_cache_lacks_is_fetched_when_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIEUTIC_CACHE_DIR", str(tmp_path))
    fetched: list[tuple[str, str]] = []

    def fetch(remote: RemoteFile, path: Path, on_progress: object = None) -> None:
        fetched.append((remote.url.rpartition("/")[2], path.name))
        path.parent.mkdir(parents=True, exist_ok=True)
        put(path.parent, path.name, as_lines([as_creak(item) for item in ITEMS]))

    monkeypatch.setattr(package, "fetch_file", fetch)
    loaded = load_items("creak", download=True)
    assert fetched == [("dev.json", "dev.json")]
    assert loaded.files == (cache_folder("creak") / "dev.json",)
    assert loaded.edited == ("dev.json",)  # it is not what was published
    assert load_items("creak").items == loaded.items
    assert len(fetched) == 1


def test_the_published_files_of_every_split_are_described() -> None:
    for name, dataset in DATASETS.items():
        assert dataset.name == name
        assert dataset.default_split in dataset.splits
        files = {file for files in dataset.splits.values() for file in files}
        assert set(dataset.remote) <= files
        for remote in dataset.remote.values():
            assert remote.url.startswith("https://")
            assert len(bytes.fromhex(remote.sha256)) == 32
            assert remote.bytes > 0


@pytest.mark.parametrize(("name", "file"), [("csqa2", row[2]) for row in REAL[:2]])
def test_sizes_and_checksums_of_downloads_are_those_of_the_published_files(name: str, file: str) -> None:
    content = (real(name) / file).read_bytes()
    remote = DATASETS[name].remote[file]
    assert (remote.bytes, remote.sha256) == (len(content), hashlib.sha256(content).hexdigest())


def test_the_command_names_every_data_set_with_its_licence_and_citation() -> None:
    app = typer.Typer()
    app.command()(datasets)
    shown = CliRunner().invoke(app, [], env={"COLUMNS": "400"})
    listed = CliRunner().invoke(app, ["--json"])
    assert (shown.exit_code, listed.exit_code) == (0, 0)
    rows = [json.loads(line) for line in listed.stdout.splitlines()]
    assert [row["name"] for row in rows] == list(DATASETS)
    assert Counter(row["licence"] for row in rows)["MIT"] == 2
    for name, dataset in DATASETS.items():
        for fact in (name, dataset.licence, dataset.citation, dataset.homepage, *dataset.splits):
            assert fact in shown.stdout
    assert "contrast 500 rows" in shown.stdout
    assert "dev by hand, from https://github.com/PlusLabNLP/Com2Sense" in shown.stdout
