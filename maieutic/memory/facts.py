"""Facts of a memory: asserted, related, checked against each other, retracted."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from maieutic.errors import InputError
from maieutic.inference import Joint
from maieutic.inference.base import PairPlan
from maieutic.inference.constraints import Constraint, relation_constraints
from maieutic.inference.graph import BeliefGraph, Form, Literal
from maieutic.inference.premises import combined_constraints, triples
from maieutic.inference.weights import DEFAULT_WEIGHTS
from maieutic.memory.choices import bound, choices_of, contradiction, remove_choices
from maieutic.memory.database import MemoryFile
from maieutic.memory.models import KnownPairs, identity
from maieutic.memory.neighbourhood import Limits, Neighbourhood, neighbourhood, neighbourhood_of
from maieutic.memory.notes import Change
from maieutic.memory.recording import Findings, add_question, enter, relabel
from maieutic.memory.retrieval import index_fact, unindex_fact
from maieutic.memory.rows import Stored, clauses_of, entered, literal_of, propositions_of
from maieutic.memory.solving import resolved
from maieutic.memory.store import MemoryStore
from maieutic.memory.stored_pairs import stored_pairs
from maieutic.nli.base import Verifier
from maieutic.problem.conflicts import conflicts
from maieutic.relate import relate_plans
from maieutic.sentences.content import content_words
from maieutic.text import same_text
from maieutic.tree import Tree

__all__ = [
    "SURE",
    "Asserted",
    "Assertion",
    "KnownFact",
    "assert_fact",
    "known_facts",
    "retract_fact",
    "set_fact",
]

SURE = 0.9  # the least probability of a relation by which facts contradict each other, as in `check`


@dataclass(frozen=True, slots=True)
class KnownFact:
    """A fact of a memory.

    Attributes:
        holds: whether the statement is true.
        source: who said so; ``time``: when, in seconds since the epoch.
        unused: whether it touches nothing: no relation with a weight, no choice, and no question is the same
            statement.
    """

    statement: str
    holds: bool
    source: str
    time: int
    unused: bool


@dataclass(frozen=True, slots=True)
class Asserted:
    """What asserting a fact did.

    Attributes:
        fact: as the memory holds it.
        compared: pairs that the verifier was asked; None where there was no verifier.
        changed: propositions that have another label now.
    """

    fact: KnownFact
    compared: int | None
    changed: tuple[Change, ...]


def known_facts(db: sqlite3.Connection) -> list[KnownFact]:
    """All facts, the oldest first."""
    rows = db.execute("SELECT id FROM propositions WHERE fact IS NOT NULL ORDER BY fact_time, id").fetchall()
    return [_known(db, row[0]) for row in rows]


def _known(db: sqlite3.Connection, number: int) -> KnownFact:
    statement, fact, source, time, asked = db.execute(
        "SELECT statement, fact, fact_source, fact_time, asked FROM propositions WHERE id = ?", (number,)
    ).fetchone()
    query = "SELECT 1 FROM relations WHERE {} IN (?, ?) AND weight > 0 LIMIT 1"
    touches = any(
        db.execute(query.format(column), (number, -number)).fetchone()
        for column in ("source", "target", "other")
    )
    touches |= bool(choices_of(db, [number]))
    return KnownFact(statement, bool(fact), source or "", time or 0, not touches and asked is None)


def set_fact(
    db: sqlite3.Connection, text: str, holds: bool, source: str, time: int, question: int | None = None
) -> int:
    """Enter a fact; the number of its proposition is returned.

    Raises:
        InputError: the opposite is a fact, or choices exclude it; the message names the fewest that do.
    """
    literal = entered(db, text, "", question=question, time=time)
    number, truth = abs(literal), holds == (literal > 0)
    statement, known = db.execute(
        "SELECT statement, fact FROM propositions WHERE id = ?", (number,)
    ).fetchone()
    if known is not None and bool(known) != truth:
        old = f"{statement!r} is {str(bool(known)).lower()}"
        problem = f"these facts contradict each other: {old}; {text!r} is {str(holds).lower()}"
        raise InputError(f"{problem}; retract the first, or do not assert the second", subject=text)
    found = contradiction(db, choices_of(db, [number]), {number: truth})
    if found:
        raise InputError(f"these cannot all hold: {'; '.join(found)}; retract one", subject=text)
    db.execute(
        "UPDATE propositions SET fact = ?, label = ?, p = ?, fact_source = ?, fact_time = ? WHERE id = ?",
        (truth, truth, float(truth), source, time, number),
    )
    index_fact(db, number, content_words(statement))
    return number


@dataclass(frozen=True)
class Assertion:
    """A statement that is to become a fact.

    Attributes:
        time: seconds since the epoch.
        verifier: relates it; None for none. ``joint``: its weights turn relations into nats.
    """

    text: str
    holds: bool
    source: str
    time: int
    verifier: Verifier | None
    joint: Joint


def assert_fact(store: MemoryStore, assertion: Assertion, limits: Limits) -> Asserted:
    """See :meth:`maieutic.memory.base.Memory.assert_fact`."""
    text, holds, time = assertion.text, assertion.holds, assertion.time
    verifier, joint = assertion.verifier, assertion.joint
    if text.endswith("?"):
        raise InputError(f"the fact {text!r} is a question; give a statement", subject=text)

    def look(file: MemoryFile) -> tuple[Neighbourhood, dict[tuple[str, str], tuple[float, float, float]]]:
        with file.reading() as db:
            near = neighbourhood(db, [text], limits)
            known = stored_pairs(db, identity(verifier)[0], near, [text]) if verifier is not None else {}
            return near, known

    near, known = store.run(look)
    graph, usage = BeliefGraph((Form(Literal("Q"), text),)), None
    if verifier is not None:
        (related,) = relate_plans([_plan(text, near)], KnownPairs(verifier, known))
        graph, usage = related.graph, related.usage.pairs
    weights = joint.weights or DEFAULT_WEIGHTS
    constraints = (*relation_constraints(graph, weights.strength), *combined_constraints(graph, weights))
    _check(text, holds, near, graph, constraints)
    findings = Findings(
        "assert",
        text,
        {"Q": Tree(text, text, "", ())},
        (),
        {"Q": holds},
        {},
        constraints,
        graph,
        near,
        verifier=None if verifier is None else identity(verifier),
    )

    def work(file: MemoryFile) -> Asserted:
        with file.writing() as db:
            literal = literal_of(db, text)
            before = None if literal is None else propositions_of(db, [abs(literal)])[abs(literal)]
            enter(db, findings, time)
            number = set_fact(db, text, holds, assertion.source, time)
            changed = [*_own_change(db, before, number), *_resolved(db, [number], limits, time)]
            return Asserted(_known(db, number), usage, tuple(changed))

    return store.run(work)


def _own_change(db: sqlite3.Connection, before: Stored | None, number: int) -> list[Change]:
    """The change of the proposition that is now a fact."""
    after = propositions_of(db, [number])[number]
    if before is None or before.label is None or before.label == after.label or before.fact is not None:
        return []
    why = ("it is asserted as a fact",)
    return [
        Change(
            after.statement, before.label, bool(after.label), before.p, after.p, why, before.asked is not None
        )
    ]


def _plan(text: str, near: Neighbourhood) -> PairPlan:
    """The new fact with everything near it, both ways, and with each fact as a second premise."""
    fact = Form(Literal("Q"), text)
    brought = [
        Form(Literal(name), near.stored[number].statement)
        for name, number in near.names.items()
        if not same_text(near.stored[number].statement, text)
    ]
    pairs = [pair for form in brought for pair in ((fact, form), (form, fact))]
    true = [form for form in brought if near.stored[near.names[form.literal.id]].fact]
    both = [one for one in triples([fact, *true], [fact, *brought]) if fact in one]
    return PairPlan(BeliefGraph((fact, *brought)), tuple(pairs), tuple(both))


def _check(
    text: str, holds: bool, near: Neighbourhood, graph: BeliefGraph, constraints: Sequence[Constraint]
) -> None:
    """Refuse a fact that contradicts others by relations of which the verifier is sure.

    Raises:
        InputError: it does; the message names the fewest facts.
    """
    texts = {fact.id: (fact.statement, fact.holds) for fact in near.recollection.facts}
    held = {Literal(name, truth): 1.0 for name, (_, truth) in texts.items()} | {Literal("Q", holds): 1.0}
    texts["Q"] = (text, holds)
    known = [one for one in constraints if one.ids <= texts.keys() and _sure(one, graph)]
    found = conflicts(held, known).sets
    if found:
        listed = "; ".join(f"{texts[one.id][0]!r} is {str(texts[one.id][1]).lower()}" for one in found[0])
        raise InputError(
            f"these facts contradict each other: {listed}; retract one, or give no verifier", subject=text
        )


def _sure(constraint: Constraint, graph: BeliefGraph) -> bool:
    assert constraint.target is not None
    relation = graph.relation(constraint.source, constraint.other, constraint.target)
    return relation is not None and relation.probability >= SURE


def retract_fact(store: MemoryStore, text: str, time: int, limits: Limits) -> list[Change]:
    """See :meth:`maieutic.memory.base.Memory.retract`."""

    def work(file: MemoryFile) -> list[Change]:
        with file.writing() as db:
            literal = literal_of(db, text)
            one = None if literal is None else propositions_of(db, [abs(literal)])[abs(literal)]
            if one is None or one.fact is None:
                return _retract_choice(db, text, time, limits)
            db.execute(
                "UPDATE propositions SET fact = NULL, fact_source = NULL, fact_time = NULL WHERE id = ?",
                (one.number,),
            )
            unindex_fact(db, one.number, content_words(one.statement))
            add_question(db, "retract", text, time)
            return _resolved(db, [one.number], limits, time)

    return store.run(work)


def _retract_choice(db: sqlite3.Connection, question: str, time: int, limits: Limits) -> list[Change]:
    """Forget the choices of a question, and solve what is near their options."""
    removed = remove_choices(db, question)
    if not removed:
        problem = f"{question!r} is no fact and no choice of this memory"
        raise InputError(f"{problem}; see memory facts", subject=question)
    add_question(db, "retract", question, time)
    return _resolved(db, bound(removed), limits, time)


def _resolved(db: sqlite3.Connection, numbers: Sequence[int], limits: Limits, time: int) -> list[Change]:
    """Solve what is near propositions by what is stored, and enter what changed, for the last question."""
    near = _near(db, numbers, limits)
    solution = resolved(near, Joint().solver)
    found = Findings(
        "assert", "", {}, (), solution.labels, solution.p, solution.constraints, BeliefGraph(()), near
    )
    question = db.execute("SELECT MAX(id) FROM questions").fetchone()[0]
    return relabel(db, found, question, time)


def _near(db: sqlite3.Connection, numbers: Sequence[int], limits: Limits) -> Neighbourhood:
    """Propositions, what choices and relations connect with them, and what relations connect with that."""
    chosen = [*dict.fromkeys((*numbers, *bound(choices_of(db, numbers))))]
    most = limits.propositions + len(chosen)
    for _ in range(2):
        reached = dict.fromkeys(chosen)
        for clause, _weight in sorted(clauses_of(db, chosen).items(), key=lambda item: -item[1]):
            reached |= dict.fromkeys(abs(literal) for literal in clause)
        chosen = list(reached)[:most]
    return neighbourhood_of(db, chosen, (), limits)
