"""Enters what was asked and found into a memory, in one transaction: all of it or nothing."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from maieutic.inference.constraints import Constraint
from maieutic.inference.graph import BeliefGraph, Combined, Literal, Relation
from maieutic.memory.choices import add_choice, choices_of, contradiction, described
from maieutic.memory.database import CONTRADICTION, ENTAILMENT
from maieutic.memory.neighbourhood import Neighbourhood
from maieutic.memory.notes import Change
from maieutic.memory.rows import entered, model_number, propositions_of
from maieutic.tree import Tree

__all__ = ["Entered", "Findings", "add_question", "enter", "enter_changes", "explained", "relabel"]

UNARY = ("belief", "chain", "bias", "claim")  # kinds that say what is believed of one proposition
OF_TREE = ("tree", "names")  # kinds that come from no relation of the verifier
LEAST_P = 1e-3  # change of P that counts as none
REASONS = 3  # of one change that are kept


@dataclass(frozen=True)
class Findings:
    """A question, its trees and what was found, by the ids of one problem.

    Attributes:
        kind: "ask", "choose", "check", "assert" or "retract".
        trees: by the id of their claim. ``asked``: ids of the claims that somebody asked about.
        labels, p_labels: of every proposition in the problem.
        lm, verifier: fingerprint and name of the models; None for none.
        near: the neighbourhood that took part.
        names: id of a proposition of before that is one of the trees' → the literal that it is.
        groups: ids of claims of which exactly one is true.
    """

    kind: str
    text: str
    trees: Mapping[str, Tree]
    asked: Sequence[str]
    labels: Mapping[str, bool]
    p_labels: Mapping[str, float]
    constraints: Sequence[Constraint]
    graph: BeliefGraph
    near: Neighbourhood
    lm: tuple[str, str] | None = None
    verifier: tuple[str, str] | None = None
    names: Mapping[str, Literal] | None = None
    groups: Sequence[Sequence[str]] = ()


@dataclass(frozen=True, slots=True)
class Entered:
    """What entering a question did.

    Attributes:
        changes: propositions that have another label now.
        warnings: what was not entered, and why; one sentence each.
    """

    changes: tuple[Change, ...]
    warnings: tuple[str, ...] = ()


def enter(db: sqlite3.Connection, findings: Findings, time: int) -> Entered:
    """Enter the propositions, beliefs, relations, labels and choices; what changed is entered too.

    Args:
        time: seconds since the epoch.
    """
    lm = None if findings.lm is None else model_number(db, "lm", findings.lm)
    verifier = None if findings.verifier is None else model_number(db, "verifier", findings.verifier)
    question = add_question(db, findings.kind, findings.text, time, (lm, verifier))
    numbers = dict(findings.near.names) | dict(_propositions(db, findings, lm, question, time))
    root = numbers[next(iter(findings.trees))]
    db.execute("UPDATE questions SET proposition = ? WHERE id = ?", (abs(root), question))
    _relations(db, findings, numbers, (verifier, question))
    changes = list(_labels(db, findings, numbers))
    for claim in findings.asked:
        db.execute("UPDATE propositions SET asked = ? WHERE id = ?", (question, abs(numbers[claim])))
    enter_changes(db, changes, question, time)
    warnings = _choices(db, findings, numbers, time)
    return Entered(tuple(change for _, change in changes), tuple(warnings))


def _choices(
    db: sqlite3.Connection, findings: Findings, numbers: Mapping[str, int], time: int
) -> Iterator[str]:
    """Enter the choices; one that facts and choices of before exclude is left out, and a sentence says so."""
    for group in findings.groups:
        options = [numbers[claim] for claim in group]
        db.execute("SAVEPOINT choice")
        add_choice(db, findings.text, options, time)
        found = contradiction(db, choices_of(db, map(abs, options)))
        if found:
            db.execute("ROLLBACK TO choice")
            yield f"the choice is not remembered as one, since these cannot all hold: {'; '.join(found)}"
        db.execute("RELEASE choice")


def relabel(db: sqlite3.Connection, findings: Findings, question: int, time: int) -> list[Change]:
    """Enter the labels of the neighbourhood only; what changed is returned and entered too."""
    changes = list(_labels(db, findings, findings.near.names))
    enter_changes(db, changes, question, time)
    return [change for _, change in changes]


def add_question(
    db: sqlite3.Connection,
    kind: str,
    text: str,
    time: int,
    models: tuple[int | None, int | None] = (None, None),
) -> int:
    """Enter what was asked, asserted, retracted or settled; its number is returned.

    Args:
        models: numbers of language model and verifier.
    """
    cursor = db.execute(
        "INSERT INTO questions (kind, text, proposition, lm, verifier, time) VALUES (?, ?, 0, ?, ?, ?)",
        (kind, text, *models, time),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def _propositions(
    db: sqlite3.Connection, findings: Findings, lm: int | None, question: int, time: int
) -> Iterator[tuple[str, int]]:
    """Id → literal of every proposition in the trees, entered with its beliefs."""
    odds: dict[str, float] = {}
    for one in findings.constraints:
        if one.kind in UNARY and one.target is None:
            sign = 1.0 if one.source.positive else -1.0
            odds[one.source.id] = odds.get(one.source.id, 0.0) + sign * one.weight
    total: dict[int, float] = {}
    for claim, tree in findings.trees.items():
        for node in tree.nodes or (tree.root,):
            node_id = claim + node.id[1:]
            if node_id not in findings.labels:
                continue
            literal = entered(db, node.statement, node.negation, question=question, time=time)
            sign = 1.0 if literal > 0 else -1.0
            total[abs(literal)] = total.get(abs(literal), 0.0) + sign * odds.get(node_id, 0.0)
            beliefs = (node.p_true, node.p_true_negation)
            p_true, p_negation = beliefs if literal > 0 else beliefs[::-1]
            if findings.kind != "assert":
                db.execute(
                    "UPDATE propositions SET odds = ?, lm = ?, p_true = ?, p_negation = ? WHERE id = ?",
                    (total[abs(literal)], lm, p_true, p_negation, abs(literal)),
                )
            yield node_id, literal


def _relations(
    db: sqlite3.Connection,
    findings: Findings,
    numbers: Mapping[str, int],
    made_by: tuple[int | None, int],
) -> None:
    """Enter every pair that the verifier scored, and the weights of those that count."""
    verifier, question = made_by

    def number(literal: Literal) -> int:
        return numbers[literal.id] if literal.positive else -numbers[literal.id]

    rows: dict[tuple[int, int, int, int], list[object]] = {}
    scored: list[Relation | Combined] = [*findings.graph.relations, *findings.graph.combined]
    for one in scored:
        other = number(one.other) if isinstance(one, Combined) else 0
        if {one.source.id, one.target.id} <= numbers.keys():
            kind = ENTAILMENT if one.entailment > one.contradiction else CONTRADICTION
            key = (number(one.source), other, number(one.target), 0)
            rows[key] = [kind, verifier, one.contradiction, one.neutral, one.entailment, 0.0]
    before = set(map(frozenset, findings.near.clauses))
    for constraint in findings.constraints:
        if constraint.target is None or not constraint.ids <= numbers.keys():
            continue
        other = number(constraint.other) if constraint.other else 0
        tree = int(constraint.kind in OF_TREE)
        kind = CONTRADICTION if constraint.kind == "contradiction" else ENTAILMENT
        key = (number(constraint.source), other, number(constraint.target), tree)
        of_before = not constraint.ids.isdisjoint(findings.near.names)
        stored = of_before and frozenset(map(number, constraint.clause)) in before
        if stored and key not in rows:
            continue
        row = rows.setdefault(key, [kind, None, None, None, None, 0.0])
        row[0], row[-1] = kind, None if stored else constraint.weight
    db.executemany(
        "INSERT INTO relations (source, other, target, tree, kind, verifier, contradiction, neutral, "
        "entailment, weight, question) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, COALESCE(?10, 0.0), ?11) "
        "ON CONFLICT DO UPDATE SET kind = ?5, verifier = ?6, contradiction = ?7, neutral = ?8, "
        "entailment = ?9, weight = COALESCE(?10, weight), question = ?11",  # None keeps what is there
        [(*key, *row, question) for key, row in rows.items() if abs(key[0]) != abs(key[2])],
    )


def _labels(
    db: sqlite3.Connection, findings: Findings, numbers: Mapping[str, int]
) -> Iterator[tuple[int, Change]]:
    """Enter the labels, and yield what has another one than before; facts keep theirs."""
    known = propositions_of(db, map(abs, numbers.values()))
    ids = {abs(literal): node_id for node_id, literal in reversed(list(numbers.items()))}
    for number, node_id in ids.items():
        one = known[number]
        name = (findings.names or {}).get(node_id, Literal(node_id))
        if name.id not in findings.labels or one.fact is not None:
            continue
        same = name.positive == (numbers[node_id] > 0)
        label = findings.labels[name.id] == same
        p = findings.p_labels.get(name.id)
        p = None if p is None or math.isnan(p) else min(1.0, max(0.0, p if same else 1.0 - p))
        db.execute("UPDATE propositions SET label = ?, p = ? WHERE id = ?", (label, p, number))
        if one.label is not None and one.label != label:
            why = explained(findings, name, label == same)
            yield (
                number,
                Change(one.statement, one.label, label, one.p, p, why, one.asked is not None),
            )


def explained(findings: Findings, name: Literal, label: bool) -> tuple[str, ...]:
    """What would be violated if a proposition had the other label, the heaviest first, as sentences."""
    labels = {**findings.labels, name.id: not label}
    texts = _texts(findings)
    found = [
        constraint
        for constraint in findings.constraints
        if name.id in constraint.ids
        and constraint.ids <= labels.keys()
        and not any(literal.holds(labels[literal.id]) for literal in constraint.clause)
    ]
    found.sort(key=lambda constraint: -constraint.weight)
    said = [*_broken_choices(findings, labels), *(_sentence(one, name.id, texts) for one in found)]
    return tuple(said[:REASONS])


def _broken_choices(findings: Findings, labels: Mapping[str, bool]) -> Iterator[str]:
    """The remembered choices that do not hold under some labels, in words."""
    names = findings.names or {}
    for choice in findings.near.recollection.choices:
        named = (names.get(option.id, Literal(option.id)) for option in choice.options)
        literals = {n if o.positive else ~n for n, o in zip(named, choice.options, strict=True)}
        known = all(literal.id in labels for literal in literals)
        if known and sum(literal.holds(labels[literal.id]) for literal in literals) != 1:
            yield described(choice.question)


def _sentence(constraint: Constraint, node_id: str, texts: Mapping[str, str]) -> str:
    if constraint.target is None:
        by = {"memory": "what is remembered", "chain": "a chain of thought"}
        return f"{by.get(constraint.kind, 'what the model believes of it')} ({constraint.weight:.2f} nats)"
    others = sorted(constraint.ids - {node_id})
    said = " and ".join(f"“{texts.get(one, one)}”" for one in others)
    verb = "contradicts" if constraint.kind == "contradiction" else "goes with"
    return f"{said} {verb if len(others) == 1 else 'decide'} it ({constraint.weight:.2f} nats)"


def _texts(findings: Findings) -> dict[str, str]:
    texts = {name: findings.near.stored[number].statement for name, number in findings.near.names.items()}
    for claim, tree in findings.trees.items():
        texts |= {claim + node.id[1:]: node.statement for node in tree.nodes or (tree.root,)}
    return texts


def enter_changes(
    db: sqlite3.Connection, changes: Iterable[tuple[int, Change]], question: int, time: int
) -> None:
    """Enter what changed, for ``memory why``."""
    db.executemany(
        "INSERT INTO changes (proposition, question, before, p_before, after, p_after, why, time) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (number, question, one.before, one.p_before, one.after, one.p_after, "\n".join(one.why), time)
            for number, one in changes
        ],
    )
