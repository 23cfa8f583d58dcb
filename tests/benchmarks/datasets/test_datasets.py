"""Data sets: every row of the published files, round trips of made-up rows, every refusal."""

from __future__ import annotations

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
    True: ["true", "True", "TRUE", "yes", "Yes", "1", True, 1],
    False: ["false", "False", "FALSE", "no", "No", "0", False, 0],
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


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("rows.txt", b"text,label\na,1\n", r"rows\.txt: its name must end in one of \.jsonl"),
        ("rows.csv", b"", "holds no rows"),
        ("rows.csv", b"text,label\n", "holds no rows"),
        ("rows.csv", b"text,verdict\nIce.,1\n", r"no column for what is true; .*are 'text', 'verdict'"),
        ("rows.csv", b"text;label\nIce.;1\n", r"no column for the statement; .*are 'text;label'"),
        ("rows.csv", b"text,claim,label\nIce.,Ice.,1\n", "'text' and 'claim' could all be the statement"),
        ("rows.csv", b"text,label,Gold\nIce.,1,1\n", "'label' and 'Gold' could all be what is true"),
        ("rows.csv", b"text,label,label\nIce.,1,0\n", "line 1: two columns have one name"),
        ("rows.csv", b"text,label\nIce.,1\nIce, cold.,1\n", "line 3: it has 3 fields, and .* names 2"),
        ("rows.csv", b'text,label\nIce.,1\n"Ice,1\n', r"line 3: it cannot be split into fields"),
        ("rows.tsv", b'text\tlabel\n"Ice" is cold.\t1\n', r"line 2: it cannot be split into fields"),
        ("rows.csv", b"text,label\nIce.,maybe\n", "line 2: 'label' must be true or false, .* not 'maybe'"),
        ("rows.csv", b"text,label\nIce.,\n", "line 2: 'label' must be true or false, .* not ''"),
        ("rows.csv", b"text,label\n ,1\nIce.,1\n", "line 2: the statement is empty"),
        ("rows.csv", b"text,label\n" + b"x" * 2001 + b",1\n", r"line 2: the statement .* 2,001 characters"),
        ("rows.csv", b"id,text,label\nq,Ice.,1\nq,Fire.,1\n", "line 3: the id 'q' is that of line 2 already"),
        ("rows.csv", b"id,text,label\n,Ice.,1\n", "line 2: the id is empty"),
        ("rows.csv", b"text,label\n\xff,1\n", "not UTF-8"),
        ("rows.jsonl", b'{"text": "Ice.", "label": 1}\n{"text": "Ice."}\n', "line 2: it has no 'label'"),
        (
            "rows.jsonl",
            b'{"text": "Ice.", "label": 1}\n{"text": \n',
            r"line 2: no JSON \(Expecting value at column 1\d\)",
        ),
        ("rows.jsonl", b'{"text": "Ice.", "label": 2}\n', "'label' must be .* not 2"),
        ("rows.jsonl", b'{"text": "Ice.", "label": 1.0}\n', "'label' must be .* not 1.0"),
        ("rows.jsonl", b'{"text": "Ice.", "label": null}\n', "'label' must be .* not None"),
        ("rows.jsonl", b'{"text": 7, "label": 1}\n', "line 1: 'text' must be text, not 7"),
        ("rows.jsonl", b'{"text": "\\ud800", "label": 1}\n', "line 1: .*not valid Unicode"),
        ("rows.jsonl", b'{"id": 1.5, "text": "Ice.", "label": 1}\n', "'id' must be text or a whole number"),
        ("rows.jsonl", b"\xff\n", "line 1: no JSON"),
        ("rows.jsonl", b'"Ice."\n', "line 1: it must be an object"),
        ("rows.json", b'[{"text": "Ice.", "label": 1}, 7]', "row 2: it must be an object"),
        ("rows.json", b'[{"text": "Ice.",\n "label": 1},', "line 2: .*column"),
        ("rows.json", b"[" * 100_000, "no JSON"),
        ("rows.json", b"[]", "holds no rows"),
        ("rows.jsonl.gz", b"\x1f\x8b\x08nothing", "gzip data is broken"),
    ],
)
def test_a_file_of_ones_own_is_refused_by_place_and_reason(
    tmp_path: Path, name: str, content: bytes, problem: str
) -> None:
    path = put(tmp_path, name, content)
    with pytest.raises(FileFormatError, match=problem) as caught:
        load_items("file", data=path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


ITEMS = [
    Item("0a", "Ice is cold.", True, "p0"),
    Item("0b", "Ice is hot.", False, "p0"),
    Item("1a", "A fish swims?", True, "p1"),
    Item("1b", "A fish flies?", False, "p1"),
]

Edit = Callable[[Rows], object]

# Data set, split, its file, how rows are written, and how the place of the third row is told.
WRITTEN: Mapping[str, tuple[str, str, Callable[[Item], dict[str, Any]], Callable[[Rows], bytes], str]] = {
    "csqa2": ("train", "CSQA2_train.json.gz", as_csqa2, as_lines, ", line 3: "),
    "creak": ("contrast", "contrast_set.json", as_creak, as_lines, ", line 3: "),
    "com2sense": ("train", "train.json", as_com2sense, as_array, ": row 3: "),
    "strategyqa": ("train", "strategyqa_train.json", as_strategyqa, as_array, ": row 3: "),
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
    key, (_, file, _, _, place) = COLUMNS[name][column], WRITTEN[name]
    error = str(spoiled(tmp_path, name, lambda rows: rows[2].pop(key)))
    assert error.startswith(f"{tmp_path / file}{place}{key}: Field required")
    assert "correct or remove the" in error
    error = str(spoiled(tmp_path, name, lambda rows: rows[2].update({key: 7})))
    assert error.startswith(f"{tmp_path / file}{place}{key}: Input should be")


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        (0, "0a", "the id '0a' is that of (row|line) 1 already"),
        (0, "", "the id is empty"),
        (1, " \n", "the statement is empty"),
        (1, "long " * 500, "the statement that begins 'long .*2,500 characters"),
        (2, "perhaps", "Input should be .*perhaps"),
        (2, None, "Input should be .*None"),
    ],
    ids=["id twice", "no id", "no text", "long text", "odd label", "null label"],
)
def test_a_wrong_value_is_refused_by_row(
    tmp_path: Path, name: str, column: int, value: object, problem: str
) -> None:
    _, file, _, _, place = WRITTEN[name]
    pairs = pairs_of(ITEMS[:2]) | {"": "1b", "1b": ""} if value == "" else None
    error = spoiled(tmp_path, name, lambda rows: rows[2].update({COLUMNS[name][column]: value}), pairs)
    assert str(error).startswith(f"{tmp_path / file}{place}")
    with pytest.raises(FileFormatError, match=problem):
        raise error


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "holds no rows"),
        (b"\n \n", "holds no rows"),
        (b"[]", "holds no rows"),
        (b"{", "JSON"),
        (b"7", r"(line 1|row 1|no JSON).*object"),
    ],
)
def test_a_file_that_is_no_rows_is_refused(tmp_path: Path, name: str, content: bytes, problem: str) -> None:
    split, file, *_ = WRITTEN[name]
    put(tmp_path, file, content)
    put(tmp_path, "pair_id_train.json", b"{}")
    with pytest.raises(FileFormatError, match=problem) as caught:
        load_items(name, data=tmp_path, split=split)
    assert caught.value.path == str(tmp_path / file)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_contrast_pair_must_be_one_true_and_one_false_row(tmp_path: Path, count: int) -> None:
    def edit(rows: Rows) -> None:
        rows[2]["pair_id"] = "p0" if count == 3 else "p9" if count == 1 else ""
        rows[0], rows[2] = rows[2], rows[0]

    error = spoiled(tmp_path, "creak", edit)
    assert error.line == 1
    assert "must be that of one true and one false row" in str(error)
    error = spoiled(tmp_path, "creak", lambda rows: rows[3].update(label="true"))
    assert (error.line, "not true, true" in str(error)) == (3, True)


@pytest.mark.parametrize(
    ("pairs", "problem"),
    [
        ({"0a": "0b", "0b": "0a"}, r"train\.json: row 3: the id '1a' is not in the pair file"),
        (pairs_of(ITEMS) | {"0a": "1a"}, r"pair_id_train\.json: '0a' has the twin '1a', whose twin is '1b'"),
        (pairs_of(ITEMS) | {"0a": "0a"}, r"pair_id_train\.json: '0a' has the twin '0a'"),
        (pairs_of(ITEMS) | {"0a": "9"}, r"pair_id_train\.json: '0a' has the twin '9', whose twin is None"),
        (pairs_of(ITEMS) | {"0a": "9", "9": "0a", "0b": "8", "8": "0b"}, "row 1: its twin '9' has no row"),
        (pairs_of(ITEMS) | {"0a": 7}, r"pair_id_train\.json: 0a: Input should be a valid string"),
        (["0a"], r"pair_id_train\.json: the record: Input should be an object"),
    ],
    ids=["unpaired", "not mutual", "itself", "nobody", "no row", "no text", "no object"],
)
def test_twins_of_com2sense_must_be_there_and_mutual(tmp_path: Path, pairs: Any, problem: str) -> None:
    error = spoiled(tmp_path, "com2sense", lambda rows: None, pairs)
    with pytest.raises(FileFormatError, match=problem):
        raise error


def test_a_dev_row_of_com2sense_may_have_lost_its_twin(tmp_path: Path) -> None:
    put(tmp_path, "dev.json", as_array(list(map(as_com2sense, ITEMS[:3]))))
    put(tmp_path, "pair_id_dev.json", json.dumps(pairs_of(ITEMS)).encode())
    assert [item.pair for item in load_items("com2sense", data=tmp_path).items] == ["0a+0b", "0a+0b", ""]


@pytest.mark.parametrize(
    ("name", "options", "problem"),
    [
        (
            "csqa3",
            {},
            "no data set 'csqa3'; there are agora, csqa2, creak, com2sense, strategyqa, trees, file",
        ),
        ("csqa2", {"split": "test"}, "csqa2 has no split 'test'; the splits whose answers can .* train, dev"),
        ("agora", {"split": "all"}, "agora has no split 'all'; its splits are train, dev, test"),
        ("agora", {"data": Path()}, "agora comes with maieutic; leave out --data"),
        (
            "csqa2",
            {},
            r"csqa2 dev is not in the cache; add --download \(0.2 MB\), or get CSQA2_dev.json.gz from",
        ),
        (
            "com2sense",
            {},
            r"dev\.json and pair_id_dev\.json is known; get them from https://github\.com/Plus",
        ),
        ("strategyqa", {"download": True}, r"cannot be downloaded.*get it from https://.*dataset\.zip"),
        (
            "creak",
            {"data": Path("nowhere")},
            r"nowhere does not exist; give --data the folder with dev\.json",
        ),
        ("creak", {"data": Path(__file__)}, r"test_datasets\.py is a file; give --data the folder with"),
        ("creak", {"data": Path()}, r"has no dev\.json, plain or gzipped, .*creak, or leave out --data and"),
        ("strategyqa", {"data": Path()}, r"has no strategyqa_train\.json, .*get it from .*zip \(unzip it\)$"),
        ("file", {}, r"give --data FILE"),
        ("file", {"data": Path()}, r"is a folder; give --data the file itself"),
        ("file", {"data": Path("nowhere.csv")}, r"nowhere\.csv: cannot be read \(No such file"),
    ],
)
def test_what_cannot_be_loaded_is_said_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, options: dict[str, Any], problem: str
) -> None:
    monkeypatch.setenv("MAIEUTIC_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=problem) as caught:
        load_items(name, **options)
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
