"""A user's own file: JSON lines, a JSON array of objects, CSV or TSV, plain or gzipped, in UTF-8.

One column holds the statement or yes/no question, and one says whether it is true (or the answer is yes).
Column names identify them, in any case:

text   statement, question, sentence, sent, text or claim
gold   label, answer, gold, truth, gold_label or target: true/false, yes/no or 1/0 (1.0/0.0), in any case
id     the first of id, qid, ex_id and uid that exists, with unique values; else the row numbers

CSV and TSV files begin with a line of column names. Fields of CSV may be quoted as in spreadsheets; in TSV a
quotation mark is a character like any other, and a field holds no tab or line break.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maieutic.benchmarks.datasets.base import DataSet, Item
from maieutic.benchmarks.datasets.rows import FileRow, checked, read_content, read_rows
from maieutic.errors import FileFormatError

__all__ = ["FILE", "SUFFIXES"]

SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv")

TEXT = ("statement", "question", "sentence", "sent", "text", "claim")
GOLD = ("label", "answer", "gold", "truth", "gold_label", "target")
ID = ("id", "qid", "ex_id", "uid")

_TRUTH = {"true": True, "yes": True, "false": False, "no": False}
_NUMBER = re.compile(r"([01])(\.0*)?", re.ASCII)  # libraries that allow missing labels write 1 as 1.0
_SHOWN = 60  # characters of a bad value that a message quotes
_MOST = 20  # columns that a message lists

RowFields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Columns:
    """The names of the columns in the file; ``id`` is "" if there is no id column."""

    text: str
    gold: str
    id: str

    def item(self, row: FileRow, record: RowFields) -> Item:
        for name in (self.text, self.gold, self.id):
            if name and name not in record:
                raise row.error(f"{name!r} is missing")
        text = record[self.text]
        if not isinstance(text, str):
            raise row.error(f"{self.text!r} must be text, not {_short(text)}")
        return Item(self._id(row, record), text, _truth(row, self.gold, record[self.gold]))

    def _id(self, row: FileRow, record: RowFields) -> str:
        value = record[self.id] if self.id else row.number
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise row.error(f"{self.id!r} must be text or an integer, not {_short(value)}")
        return str(value).strip()


def _truth(row: FileRow, column: str, value: object) -> bool:
    word = str(value).strip().casefold() if isinstance(value, bool | int | float | str) else ""
    if word in _TRUTH:
        return _TRUTH[word]
    if number := _NUMBER.fullmatch(word):
        return number[1] == "1"
    raise row.error(f"{column!r} must be true or false, yes or no, 1 or 0, not {_short(value)}")


def _read(path: Path, _split: str) -> list[Item]:
    """All rows of the file ``path``; other data sets take a folder here."""
    suffix = Path(path.name.removesuffix(".gz")).suffix.casefold()
    if suffix not in SUFFIXES:
        names = ", ".join(SUFFIXES)
        raise FileFormatError(
            path, None, f"the name must end in one of {names}, optionally with .gz; rename the file"
        )
    table = suffix in (".csv", ".tsv")
    records = list(_table(path, "\t" if suffix == ".tsv" else ",") if table else _objects(read_rows(path)))
    if not records:
        raise FileFormatError(path, None, "the file has no rows; add some")
    columns = _columns(path, list(records[0][1]))
    return checked((row, columns.item(row, record)) for row, record in records)


def _objects(rows: Iterable[FileRow]) -> Iterator[tuple[FileRow, RowFields]]:
    for row in rows:
        try:
            record = json.loads(row.json)
        except json.JSONDecodeError as error:
            raise row.error(f"this is not valid JSON ({error.msg} at column {error.colno})") from None
        except (ValueError, RecursionError) as error:  # not UTF-8, or too long a number or too deep nesting
            raise row.error(f"this is not valid JSON ({error})") from None
        if not isinstance(record, dict):
            raise row.error(f"the row must be an object with named columns, not {_short(record)}")
        yield row, record


def _table(path: Path, delimiter: str) -> Iterator[tuple[FileRow, RowFields]]:
    try:
        text = read_content(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise FileFormatError(
            path, None, f"this is not UTF-8 text ({error.reason}); save it as UTF-8"
        ) from None
    lines = io.StringIO(text, newline="")
    if delimiter == "\t":
        reader = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE, strict=True)
    else:
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
    names: list[str] = []
    line = 1  # first line of the record; fields may contain line breaks
    try:
        for fields in reader:
            row, line = FileRow(path, line, "line", b""), reader.line_num + 1
            if not any(map(str.strip, fields)):
                continue
            if not names:
                names = [name.strip() for name in fields]
                if len(set(names)) < len(names):
                    raise row.error(f"the column names {_listed(names)} are not unique")
                continue
            if len(fields) != len(names):
                raise row.error(f"the row has {len(fields)} fields, but the first line names {len(names)}")
            yield row, dict(zip(names, fields, strict=True))
    except csv.Error as error:
        raise FileRow(path, line, "line", b"").error(
            f"the line cannot be split into fields ({error})"
        ) from None


def _columns(path: Path, names: Sequence[str]) -> _Columns:
    def pick(known: Sequence[str], role: str) -> str:
        matches = [name for name in names if name.strip().casefold() in known]
        if len(matches) == 1:
            return matches[0]
        problem = f"several columns ({_listed(matches)}) match" if matches else "no column matches"
        remedy = f"name one column {', '.join(known[:-1])} or {known[-1]}"
        raise FileFormatError(path, None, f"{problem} {role}; {remedy} (the columns are {_listed(names)})")

    ids = [name for known in ID for name in names if name.strip().casefold() == known]
    return _Columns(pick(TEXT, "the statement"), pick(GOLD, "the gold label"), ids[0] if ids else "")


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(_short(name) for name in names[:_MOST])
    return (shown or "none") + (", …" if len(names) > _MOST else "")


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "…"


FILE = DataSet(
    name="file",
    title=f"a file of your own ({', '.join(SUFFIXES)}, also gzipped), given after --data",
    homepage="",
    licence="",
    citation="",
    splits={"all": ()},
    default_split="all",
    read=_read,
    remote={},
)
