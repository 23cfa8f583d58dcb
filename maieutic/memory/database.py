"""The SQLite file of a memory: its tables and a connection to it.

A literal is the number of a proposition, negative for its negation. A relation is a soft clause, "source (and
other) entail the target", or with kind :data:`CONTRADICTION` "exclude it", with the verifier's distribution
where it comes from the verifier, and its weight in nats, 0 where it says nothing. A choice is a question with
options: literals of which exactly one holds. A file of version 1 has no choices; it gets their tables when it
is opened.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from maieutic.errors import InputError
from maieutic.files.sqlite import Damaged, SharedFile

__all__ = ["CONTRADICTION", "ENTAILMENT", "SCHEMA", "MemoryFile", "number", "text"]

SYNCHRONOUS = "FULL"  # what a user asserts survives a power cut
SCHEMA = 2
APPLICATION = 0x4D41_4945  # "MAIE", in the header of the file
MAGIC = b"SQLite format 3\x00"
ENTAILMENT, CONTRADICTION = 1, 2  # kinds of relations

_TABLES = """
CREATE TABLE models (
  id INTEGER PRIMARY KEY, role TEXT NOT NULL, fingerprint TEXT NOT NULL, name TEXT NOT NULL,
  UNIQUE (role, fingerprint)
);
CREATE TABLE questions (
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, text TEXT NOT NULL, proposition INTEGER NOT NULL,
  lm INTEGER, verifier INTEGER, time INTEGER NOT NULL
);
CREATE INDEX questions_by_proposition ON questions (proposition);
CREATE TABLE propositions (
  id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, negation_key TEXT,
  statement TEXT NOT NULL, negation TEXT NOT NULL, words INTEGER NOT NULL,
  lm INTEGER, p_true REAL, p_negation REAL, odds REAL NOT NULL DEFAULT 0,
  label INTEGER, p REAL, fact INTEGER, fact_source TEXT, fact_time INTEGER,
  asked INTEGER, origin INTEGER, time INTEGER NOT NULL
);
CREATE INDEX propositions_by_negation ON propositions (negation_key) WHERE negation_key IS NOT NULL;
CREATE INDEX propositions_that_are_facts ON propositions (id) WHERE fact IS NOT NULL;
CREATE INDEX propositions_that_are_answers ON propositions (id) WHERE asked IS NOT NULL;
CREATE TABLE relations (
  source INTEGER NOT NULL, other INTEGER NOT NULL, target INTEGER NOT NULL, tree INTEGER NOT NULL,
  kind INTEGER NOT NULL, verifier INTEGER, contradiction REAL, neutral REAL, entailment REAL,
  weight REAL NOT NULL, question INTEGER,
  PRIMARY KEY (source, other, target, tree)
) WITHOUT ROWID;
CREATE INDEX relations_by_source ON relations (source) WHERE weight > 0;
CREATE INDEX relations_by_target ON relations (target) WHERE weight > 0;
CREATE INDEX relations_by_other ON relations (other) WHERE other != 0;
CREATE TABLE changes (
  id INTEGER PRIMARY KEY, proposition INTEGER NOT NULL, question INTEGER NOT NULL,
  before INTEGER NOT NULL, p_before REAL, after INTEGER NOT NULL, p_after REAL,
  why TEXT NOT NULL, time INTEGER NOT NULL
);
CREATE INDEX changes_by_proposition ON changes (proposition);
CREATE TABLE terms (id INTEGER PRIMARY KEY, term TEXT NOT NULL UNIQUE, count INTEGER NOT NULL);
CREATE TABLE postings (
  term INTEGER NOT NULL, proposition INTEGER NOT NULL, count INTEGER NOT NULL,
  PRIMARY KEY (term, proposition)
) WITHOUT ROWID;
CREATE TABLE fact_postings (
  term INTEGER NOT NULL, proposition INTEGER NOT NULL, PRIMARY KEY (term, proposition)
) WITHOUT ROWID;
CREATE TABLE totals (propositions INTEGER NOT NULL, words INTEGER NOT NULL);
INSERT INTO totals VALUES (0, 0)
"""

_CHOICES = """
CREATE TABLE choices (
  id INTEGER PRIMARY KEY, question TEXT NOT NULL, key TEXT NOT NULL, literals TEXT NOT NULL UNIQUE,
  time INTEGER NOT NULL
);
CREATE INDEX choices_by_question ON choices (key);
CREATE TABLE options (
  literal INTEGER NOT NULL, choice INTEGER NOT NULL, PRIMARY KEY (literal, choice)
) WITHOUT ROWID
"""


class MemoryFile(SharedFile):
    """A connection to the file of a memory.

    Raises:
        InputError: the file is no memory, or one of a newer version; ``subject`` is the path.
        Damaged, sqlite3.Error: the file is damaged or cannot be used now.
        OSError: the file cannot be created.
    """

    def __init__(self, path: Path) -> None:
        if path.exists() and 0 < path.stat().st_size < len(MAGIC):  # SQLite takes one byte for an empty file
            raise _no_memory(path)
        try:
            super().__init__(path, SYNCHRONOUS)
        except sqlite3.DatabaseError as error:
            # Only now may the file be read here: closing it would release the locks of a connection of ours.
            if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_NOTADB and not _has_magic(path):
                raise _no_memory(path) from None
            raise

    def _prepare(self) -> None:
        application = number(self._db.execute("PRAGMA application_id").fetchone())
        tables = number(self._db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone())
        if application != APPLICATION and tables:
            problem = f"{self._path} is a database of another program; name another file"
            raise InputError(problem, subject=str(self._path))
        if self._version() == 0:
            self._create(f"PRAGMA application_id = {APPLICATION}; {_TABLES}; {_CHOICES}", SCHEMA)
        if self._version() == 1:
            self._create(_CHOICES, SCHEMA, older=1)
        if self._version() > SCHEMA:
            problem = f"{self._path} was written by a newer maieutic (version {self._version()}"
            raise InputError(
                f"{problem}, this one reads {SCHEMA}); update maieutic, or name another file",
                subject=str(self._path),
            )
        self._db.execute("PRAGMA temp_store = MEMORY")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, in a transaction that sees one state."""
        with self._transaction("DEFERRED"):
            yield self._db

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """The connection, in a transaction that is written whole or not at all."""
        with self._transaction():
            yield self._db


def _no_memory(path: Path) -> InputError:
    return InputError(f"{path} is no memory of maieutic; name another file", subject=str(path))


def _has_magic(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def number(row: tuple[Any, ...] | None) -> int:
    """The first value of a row, which must be an integer.

    Raises:
        Damaged: it is none.
    """
    if not row or not isinstance(row[0], int):
        raise Damaged("a row has no valid number")
    return row[0]


def text(value: object) -> str:
    """A value that must be a text.

    Raises:
        Damaged: it is none.
    """
    if not isinstance(value, str):
        raise Damaged("a row has no valid text")
    return value
