"""Memory: what earlier questions found, and facts, in one SQLite file.

>>> import tempfile
>>> memory = Memory(Path(tempfile.mkdtemp(), "memory.sqlite3"))
>>> memory.assert_fact("A penguin cannot fly.").fact.statement, len(memory.facts())
('A penguin cannot fly.', 1)
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from maieutic.errors import InputError
from maieutic.inference import Joint
from maieutic.memory.choices import KnownChoice, known_choices
from maieutic.memory.database import MemoryFile
from maieutic.memory.facts import (
    Asserted,
    Assertion,
    KnownFact,
    assert_fact,
    known_facts,
    retract_fact,
)
from maieutic.memory.lines import Line, export_lines, import_lines
from maieutic.memory.models import KnownPairs, PairKey, identity
from maieutic.memory.neighbourhood import Limits, Neighbourhood, neighbourhood
from maieutic.memory.notes import Change
from maieutic.memory.recording import Entered, Findings, enter
from maieutic.memory.settling import SettledMemory, settle_all
from maieutic.memory.store import MemoryStore
from maieutic.memory.stored_pairs import stored_pairs
from maieutic.memory.why import Contents, MemoryConflicts, Why, contents_of, memory_conflicts, why
from maieutic.nli.base import Verifier
from maieutic.solvers import Solver, load_solver
from maieutic.text import as_question

__all__ = ["Memory"]

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Memory:
    """Propositions, beliefs, relations, facts and answers, each with its source and time.

    Several processes may use one file. Each question is entered in one transaction, so that a process that is
    killed leaves all of it or nothing. A damaged file is moved aside and a new one begun.

    Args:
        path: the file, created on first use and readable by its owner only.
        limits: how much of it takes part in one question.
        on_notice: receives one line where a damaged file was moved aside; by default this module's logger.
        clock: seconds since the epoch.

    Raises:
        InputError: from all methods, the file is no memory or one of a newer version; ``subject`` is the
            path.
        MaieuticError: from all methods, it cannot be read or written.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        on_notice: Callable[[str], None] = _log.warning,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.path = Path(path)
        self.limits = limits
        self._store = MemoryStore(self.path, on_notice)
        self._clock = clock

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {str(self.path)!r}>"

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        self._store.close()

    # -- facts -----------------------------------------------------------------------------------------

    def assert_fact(
        self,
        text: str,
        *,
        holds: bool = True,
        source: str = "user",
        verifier: Verifier | None = None,
        joint: Joint | None = None,
    ) -> Asserted:
        """Take a statement for certain from now on.

        Args:
            holds: whether it is true.
            source: where it comes from.
            verifier: relates it to what the memory holds; without one only relations that are stored count.
            joint: its weights turn relations into nats.

        Raises:
            InputError: the text is empty, too long or a question, or facts contradict each other: the message
                names the fewest that do.
        """
        made = (source, self._now, verifier, joint or Joint())
        return assert_fact(self._store, Assertion(as_question(text), holds, *made), self.limits)

    def retract(self, text: str) -> list[Change]:
        """Take a statement for certain no longer; it stays as a proposition like others.

        Args:
            text: of a fact, or the question of a choice, of whose options exactly one need be true no longer.

        Returns:
            what changed in its neighbourhood.

        Raises:
            InputError: it is neither.
        """
        return retract_fact(self._store, as_question(text), self._now, self.limits)

    def facts(self) -> list[KnownFact]:
        """All facts, the oldest first."""
        return self._reading(known_facts)

    def choices(self) -> list[KnownChoice]:
        """All questions with options of which exactly one is true, the oldest first."""
        return self._reading(known_choices)

    # -- questions -------------------------------------------------------------------------------------

    def recall(self, texts: Sequence[str], first_fact: int = 1) -> Neighbourhood:
        """What has to do with some texts: what is asked first, then explanations.

        Args:
            first_fact: number in the id of the first fact.
        """
        return self._reading(lambda db: neighbourhood(db, texts, self.limits, first_fact))

    def known_pairs(self, verifier: Verifier, near: Neighbourhood, texts: Sequence[str]) -> KnownPairs:
        """The verifier, which is asked no pair that the memory has of it.

        Args:
            near: what takes part; ``texts``: of the question and its explanations.
        """
        pairs: dict[PairKey, tuple[float, float, float]] = self._reading(
            lambda db: stored_pairs(db, identity(verifier)[0], near, texts)
        )
        return KnownPairs(verifier, pairs)

    def other_models(self, findings: Findings) -> tuple[str, ...]:
        """A sentence about the models of which the memory holds something, other than those of a question."""
        own = {("lm", findings.lm), ("verifier", findings.verifier)}
        rows = self._reading(lambda db: db.execute("SELECT role, fingerprint, name FROM models").fetchall())
        others = [str(name) for role, fingerprint, name in rows if (role, (fingerprint, name)) not in own]
        if not others:
            return ()
        said = "what they believe and relate counts, and pairs of this question are related anew"
        return (f"the memory also holds what other models found ({', '.join(others)}); {said}",)

    def enter(self, findings: Findings) -> Entered:
        """Enter a question and what was found, in one transaction."""

        def work(file: MemoryFile) -> Entered:
            with file.writing() as db:
                return enter(db, findings, self._now)

        return self._store.run(work)

    # -- the whole -------------------------------------------------------------------------------------

    def settle(self, solver: Solver | None = None) -> SettledMemory:
        """Label everything anew, to the least cost of all labels together, by what is stored.

        Args:
            solver: solves what persistency leaves; RC2 by default.

        Raises:
            UnsatisfiableError: never, since what contradicts the facts and choices was refused.
            MaieuticError: the solver failed.
        """
        return settle_all(self._store, solver or load_solver("rc2-stratified"), self._now)

    def why(self, text: str) -> Why:
        """What the memory holds of a statement, and what speaks for and against it.

        Raises:
            InputError: the memory does not hold it.
        """
        statement = as_question(text)
        found = self._reading(lambda db: why(db, statement))
        if found is None:
            problem = f"the memory holds nothing of {statement!r}"
            raise InputError(f"{problem}; ask it first, or see maieutic memory export", subject="text")
        return found

    def conflicts(self) -> MemoryConflicts:
        """Minimal sets of facts and earlier answers that cannot all hold under relations that are sure."""
        return self._reading(memory_conflicts)

    def contents(self) -> Contents:
        """How much there is, and which models made it."""
        return self._reading(contents_of)

    def export(self) -> Iterator[Line]:
        """Everything but what can be solved again, as lines of JSON; see :mod:`maieutic.memory.lines`."""
        yield from self._reading(lambda db: list(export_lines(db)))

    def import_lines(self, lines: Sequence[Line]) -> int:
        """Add the lines of an export, all or none; what is there stays. The number of new ones is returned.

        Raises:
            InputError: facts and choices would contradict each other.
        """

        def work(file: MemoryFile) -> int:
            with file.writing() as db:
                return import_lines(db, lines, self._now)

        return self._store.run(work)

    @property
    def _now(self) -> int:
        return int(self._clock())

    def _reading(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def run(file: MemoryFile) -> T:
            with file.reading() as db:
                return work(db)

        return self._store.run(run)
