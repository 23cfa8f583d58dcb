"""Settling a memory: the labels of everything, to the least cost of all together, by what is stored.

What is persistent is fixed by weights alone (:mod:`maieutic.solvers.persistency`), the rest falls into
independent parts (:mod:`maieutic.solvers.components`), and each part is solved to proven optimality.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from maieutic.inference.constraints import rule_clauses
from maieutic.memory.choices import every_choice
from maieutic.memory.database import MemoryFile
from maieutic.memory.notes import Change
from maieutic.memory.recording import add_question, enter_changes
from maieutic.memory.rows import Stored, stored_propositions, summed
from maieutic.memory.store import MemoryStore
from maieutic.solvers import Clause, SoftClause, Solver, WeightedCNF
from maieutic.solvers.calls import solve
from maieutic.solvers.components import Partwise
from maieutic.solvers.persistency import Persistent, persistent_literals

__all__ = ["SettledMemory", "memory_problem", "settle_all"]

SETTLED = "settling the whole memory"


@dataclass(frozen=True, slots=True)
class SettledMemory:
    """What settling found.

    Attributes:
        propositions, clauses: how many there are.
        persistent: propositions fixed by weights alone, facts among them.
        cost: of the labels, in nats; ``optimal``: whether no labels are proven to cost less.
        before: cost of the labels before, less than ``cost`` perhaps where a choice did not hold; None where
            some had none.
        changed: propositions that have another label now.
        meanwhile: whether another process wrote while this one solved, so that nothing was entered.
    """

    propositions: int
    clauses: int
    persistent: int
    cost: float
    optimal: bool
    before: float | None
    changed: tuple[Change, ...]
    meanwhile: bool = False


def memory_problem(db: sqlite3.Connection) -> tuple[WeightedCNF, list[Stored]]:
    """The MaxSAT problem of a whole memory, and its propositions in the order of the variables.

    Facts are hard units, what the model believes are soft ones, relations are clauses of two or three
    literals; weights are nats. Choices are hard; the variables that long ones need come last.
    """
    everything = stored_propositions(db)
    place = {one.number: variable for variable, one in enumerate(everything, 1)}
    hard: list[Clause] = [
        (v if one.fact else -v,) for v, one in enumerate(everything, 1) if one.fact is not None
    ]
    soft = [
        SoftClause((v if one.odds > 0 else -v,), abs(one.odds))
        for v, one in enumerate(everything, 1)
        if one.odds != 0.0
    ]
    rows = db.execute("SELECT source, other, target, kind, weight FROM relations WHERE weight > 0")
    for clause, weight in summed(rows).items():
        literals = tuple(place[literal] if literal > 0 else -place[-literal] for literal in clause)
        soft.append(SoftClause(literals, weight))
    last = len(everything)
    for choice in every_choice(db):
        options = [place[one] if one > 0 else -place[-one] for one in choice.options]
        clauses, last = rule_clauses(options, choice.rule.kind, last)
        hard += clauses
    return WeightedCNF(tuple(hard), tuple(soft), last), everything


def settle_all(store: MemoryStore, solver: Solver, time: int) -> SettledMemory:
    """See :meth:`maieutic.memory.base.Memory.settle`.

    The file is not locked while the problem is solved. Where another process has written meanwhile, the new
    labels are not entered, and the result says so.
    """

    def read(file: MemoryFile) -> tuple[WeightedCNF, list[Stored], int]:
        with file.reading() as db:
            return (*memory_problem(db), _version(db))

    problem, everything, version = store.run(read)
    if not everything:
        return SettledMemory(0, 0, 0, 0.0, True, 0.0, ())
    fixed = persistent_literals(problem)
    solution = solve(Persistent(Partwise(solver), fixed), problem)
    labels = {one.number: label for one, label in zip(everything, solution.labels, strict=False)}
    before = None
    if all(one.label is not None for one in everything):
        helpers = [False] * (problem.variables - len(everything))  # of hard clauses only: they cost nothing
        before = problem.cost([*(bool(one.label) for one in everything), *helpers])
    changed = [(one, labels[one.number]) for one in everything if one.label != labels[one.number]]
    said = [
        (one.number, Change(one.statement, one.label, label, one.p, None, (SETTLED,), one.asked is not None))
        for one, label in changed
        if one.label is not None
    ]

    def write(file: MemoryFile) -> bool:
        with file.writing() as db:
            if _version(db) != version:
                return False
            question = add_question(db, "settle", SETTLED, time)
            db.executemany(
                "UPDATE propositions SET label = ?, p = NULL WHERE id = ? AND fact IS NULL",
                [(label, one.number) for one, label in changed],
            )
            enter_changes(db, said, question, time)
            return True

    entered = store.run(write)
    return SettledMemory(
        len(everything),
        len(problem.soft) + len(problem.hard),
        sum(abs(literal) <= len(everything) for literal in fixed),
        solution.cost,
        solution.optimal,
        before,
        tuple(change for _, change in said),
        meanwhile=not entered,
    )


def _version(db: sqlite3.Connection) -> int:
    """The number of the last question; each write has one."""
    return int(db.execute("SELECT COALESCE(MAX(id), 0) FROM questions").fetchone()[0])
