"""Check: whether statements hang together, with or without facts to hold them against.

The statements of a text are claims that are likely true; facts are certain; the sentences of documents are
certain premises that are not judged. All are one problem.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from maieutic.errors import InputError
from maieutic.inference import Joint
from maieutic.inference.constraints import Constraint, relation_constraints
from maieutic.inference.graph import Literal
from maieutic.inference.posing import exact_marginals
from maieutic.inference.premises import combined_constraints
from maieutic.inference.weights import DEFAULT_WEIGHTS
from maieutic.memory.notes import MemoryNotes
from maieutic.problem.base import Claim, Fact, Problem, bare_tree
from maieutic.problem.conflicts import Conflicts, conflicts
from maieutic.problem.settled import Settled
from maieutic.problem.texts import Passage, Passages
from maieutic.text import as_question, text_key
from maieutic.tree import ROOT, Tree
from maieutic.usage import Usage

__all__ = [
    "ASSERTED",
    "ASSERTED_BESIDES",
    "CONFLICT_AT",
    "Check",
    "Checked",
    "Statements",
    "check_of",
    "check_problem",
    "statements_of",
]

ASSERTED = 1.0
"""Nats for a statement because a text asserts it, by a verifier alone: 0.73 before anything else is known."""
ASSERTED_BESIDES = 0.3
"""The same beside what a language model believes of it: 0.57. The best of 0, 0.3, 0.6 and 1 on the dev split
of Agora (:mod:`maieutic.benchmarks.agora.together`)."""
CONFLICT_AT = 0.9
"""The least probability of a relation that counts as certain when conflicts are listed."""
LEAST_WEIGHT = 1e-3  # of a statement that nothing speaks for, when the cheapest repair is found


@dataclass(frozen=True)
class Statements:
    """What is checked, and against what.

    Attributes:
        claims: the statements, each once; ``places``: where each stands in the text (start, end), in
            characters.
        facts: statement → whether it is true.
        documents: sentences that are certain premises.
        text: that the places are in; "" where statements were given one by one.
        skipped: sentences of the text that claim nothing.
    """

    claims: tuple[str, ...]
    places: tuple[tuple[tuple[int, int], ...], ...] = ()
    facts: tuple[tuple[str, bool], ...] = ()
    documents: tuple[str, ...] = ()
    text: str = ""
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Checked:
    """A statement with what was found out about it.

    Attributes:
        claim: its id in the problem; ``places``: where it stands in the text.
        held: whether it is true in the best labelling of all together; False: it is given up. A statement may
            be given up although its P(true) is above ½, where that is what all together need least.
        p: P(it is true) in [0, 1]; None where it is not known exactly.
        fact: whether a fact settles it.
    """

    claim: str
    text: str
    places: tuple[tuple[int, int], ...]
    held: bool
    p: float | None
    fact: bool


@dataclass(frozen=True)
class Check:
    """The result of checking statements.

    Attributes:
        statements: in the order of the text.
        conflicts: minimal sets of statements and facts that cannot all hold under the relations that the
            verifier is sure of, whatever explanations are true, and the cheapest repair.
        settled: the solved problem.
        usage: of growing and relating; ``seconds``: wall-clock time.
        memory: what a memory did for it; None without one.
    """

    given: Statements
    statements: tuple[Checked, ...]
    conflicts: Conflicts
    settled: Settled
    usage: Usage = Usage()  # noqa: RUF009 - frozen
    seconds: float = 0.0
    memory: MemoryNotes | None = None
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """One line."""
        lost, sets = len(self.given_up), len(self.conflicts.sets)
        return f"<Check {len(self.statements)} statements, {lost} given up, {sets} conflicts>"

    @property
    def given_up(self) -> tuple[Checked, ...]:
        """The statements that are held false."""
        return tuple(one for one in self.statements if not one.held)

    @property
    def hangs_together(self) -> bool:
        """Whether no conflict stands."""
        return not self.conflicts.sets


def statements_of(
    statements: Sequence[str] | Passages,
    *,
    facts: Sequence[str] | Mapping[str, bool] = (),
    documents: Sequence[str] = (),
    text: str = "",
) -> Statements:
    """What is to be checked; a repeated statement, fact or sentence counts once.

    Args:
        statements: texts, or the passages of ``text``.
        facts: texts that are true, or texts with their truth.

    Raises:
        InputError: a text is empty, too long or a question; there is no statement; or a fact is given as both
            true and false. ``subject`` is the text.
    """
    if isinstance(statements, str):
        raise InputError(
            "statements must be a list of texts, not one text; split it first", subject="statements"
        )
    passages = (
        statements.claims if isinstance(statements, Passages) else [Passage(s, 0, 0) for s in statements]
    )
    found: dict[str, tuple[str, list[tuple[int, int]]]] = {}
    for passage in passages:
        sentence = _statement(passage.text)
        _, places = found.setdefault(text_key(sentence), (sentence, []))
        if text:
            places.append((passage.start, passage.end))
    if not found:
        raise InputError("there is no statement to check; give one or more", subject="statements")
    given = facts.items() if isinstance(facts, Mapping) else [(fact, True) for fact in facts]
    truths: dict[str, tuple[str, bool]] = {}
    for fact, holds in given:
        sentence = _statement(fact)
        known = truths.setdefault(text_key(sentence), (sentence, holds))
        if known[1] != holds:
            raise InputError(
                f"the fact {sentence!r} is given as both true and false; remove one", subject=fact
            )
    sources = {text_key(one): one for one in map(_statement, documents)}
    return Statements(
        tuple(sentence for sentence, _ in found.values()),
        tuple(tuple(places) for _, places in found.values()),
        tuple(truths.values()),
        tuple(sources.values()),
        text,
        statements.skipped if isinstance(statements, Passages) else 0,
    )


def check_problem(given: Statements, trees: Sequence[Tree] = ()) -> Problem:
    """The problem of statements: claims C1, C2, …, facts F1, F2, …, sentences of documents D1, D2, ….

    A fact with the text of a statement settles that statement.

    Args:
        trees: of the statements, where they have some.
    """
    grown, asserted = (trees, ASSERTED_BESIDES) if trees else (map(bare_tree, given.claims), ASSERTED)
    claims = [Claim(f"C{n}", tree, asserted) for n, tree in enumerate(grown, 1)]
    by_text = {text_key(text): claim.id for text, claim in zip(given.claims, claims, strict=True)}
    rules: list[Fact] = []
    for number, (text, holds) in enumerate(given.facts, 1):
        same = by_text.get(text_key(text))
        if same is None:
            claims.append(Claim(f"F{number}", bare_tree(text)))
        rules.append(Fact(same or f"F{number}", holds))
    for number, text in enumerate(given.documents, 1):
        claims.append(Claim(f"D{number}", bare_tree(text), premise=True))
        rules.append(Fact(f"D{number}"))
    return Problem(tuple(claims), tuple(rules))


def check_of(given: Statements, settled: Settled, joint: Joint) -> Check:
    """The result in a solved problem of :func:`check_problem`."""
    facts = settled.problem.facts
    statements = tuple(
        Checked(
            f"C{number}",
            text,
            given.places[number - 1] if given.places else (),
            settled.labels[f"C{number}"],
            settled.p_true.get(f"C{number}"),
            f"C{number}" in facts,
        )
        for number, text in enumerate(given.claims, 1)
    )
    return Check(given, statements, _conflicts(given, settled, joint), settled, settled.usage)


def _conflicts(given: Statements, settled: Settled, joint: Joint) -> Conflicts:
    """The conflicts among statements and what is certain: facts, documents, assumptions, a memory's facts.

    Explanations, and what a memory brings besides, have either truth value.
    """
    own = _own_weights(settled, joint)
    weights: dict[Literal, float] = {
        Literal(f"C{number}"): own[f"C{number}"] for number in range(1, len(given.claims) + 1)
    }
    certain = 1.0 + sum(weights.values())
    weights |= dict.fromkeys(settled.posed.held, certain)
    return conflicts(weights, _certain(settled, joint), settled.posed.rules, merged=settled.posed.merged)


def _certain(settled: Settled, joint: Joint) -> list[Constraint]:
    """The relations that count as certain, with their strengths."""
    weights = joint.weights or DEFAULT_WEIGHTS

    def strong(constraint: Constraint) -> bool:
        relation = settled.graph.by_pair.get((constraint.source, constraint.target or constraint.source))
        return relation is not None and relation.probability >= CONFLICT_AT

    known = settled.posed.encoding.variables.keys()
    found = [one for one in relation_constraints(settled.graph, weights.strength) if strong(one)]
    least = math.log(CONFLICT_AT / (1.0 - CONFLICT_AT))
    found += [one for one in combined_constraints(settled.graph, weights) if one.weight >= least]
    return [one for one in found if one.ids <= known]


def _own_weights(settled: Settled, joint: Joint) -> dict[str, float]:
    """What giving up each statement costs: its log-odds by its tree and as asserted, nats > 0."""
    found: dict[str, float] = {}
    for claim in settled.problem.claims:
        if not claim.asserted:
            continue
        odds = claim.asserted
        if len(claim.tree.nodes) > 1 or claim.tree.root.p_true is not None:
            posed = joint.posed(claim.tree, joint.plan(claim.tree).graph)
            p = float(exact_marginals(posed.encoding.problem)[posed.encoding.variables[ROOT] - 1])
            odds += 0.0 if math.isnan(p) else math.log(max(p, 1e-9) / max(1.0 - p, 1e-9))
        found[claim.id] = max(LEAST_WEIGHT, odds)
    return found


def _statement(text: str) -> str:
    sentence = as_question(text)
    if sentence.endswith("?"):
        raise InputError(f"{sentence[:60]!r} is a question; give a statement", subject=sentence)
    return sentence
