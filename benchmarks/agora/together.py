"""Several statements of Agora in one problem, measured where the truth of each is known.

    python -m maieutic.benchmarks.agora.together [--sets 60] [--seed 0]

* **premises**: pairs of premises that entail or exclude a claim only together, as logic gives them
  (:mod:`maieutic.benchmarks.agora.logic`): how many the verifier finds among the candidates, misses, and
  finds wrongly.
* **retrieval**: of the pairs of statements that logic relates, the share among the candidates at each budget.
* **sets**: ten statements about one thing and its groups with 0 to 3 planted falsehoods: what is given up in
one
  problem, against each statement judged alone by the same model.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from maieutic.benchmarks import run_app
from maieutic.benchmarks.agora.claims import Claim, Split, derived, group_fact, membership, things_of
from maieutic.benchmarks.agora.logic import Formula, Label, relation
from maieutic.benchmarks.agora.world import Derivation, World, load_world
from maieutic.config import ElicitConfig
from maieutic.inference.graph import Form, Literal
from maieutic.inference.premises import joined, triples
from maieutic.nli import Verifier, load_verifier
from maieutic.nli.base import CONTRADICTION, ENTAILMENT
from maieutic.nli.calls import predict
from maieutic.pipeline import Maieutic
from maieutic.problem.base import Problem
from maieutic.problem.checking import ASSERTED
from maieutic.problem.ties import TieConfig, plan_ties

__all__ = [
    "Counts",
    "StatementSet",
    "found_premises",
    "judged_sets",
    "main",
    "recall_of_pairs",
    "said_in",
    "statement_sets",
]

STATEMENTS = 10  # in a set
MOST_PLANTED = 3
LEAST_P = 0.5
KINDS: tuple[tuple[int, Label], ...] = ((ENTAILMENT, "entailment"), (CONTRADICTION, "contradiction"))


@dataclass(frozen=True, slots=True)
class Counts:
    """What was found of what there is.

    Attributes:
        right: found and there; ``wrong``: found and not there; ``missed``: there and not found.
    """

    right: int = 0
    wrong: int = 0
    missed: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.right + other.right, self.wrong + other.wrong, self.missed + other.missed)

    def __str__(self) -> str:
        found, there = self.right + self.wrong, self.right + self.missed
        precision, recall = (f"{100 * self.right / n:.1f} %" if n else "–" for n in (found, there))
        counts = f"found {self.right}, missed {self.missed}, wrongly found {self.wrong}"
        return f"{counts}: precision {precision}, recall {recall}"


@dataclass(frozen=True, slots=True)
class StatementSet:
    """Statements about a thing and its groups; the claims behind them know their truth."""

    claims: tuple[tuple[Claim, Formula], ...]

    @property
    def texts(self) -> list[str]:
        """The statements."""
        return [claim.text for claim, _ in self.claims]


def statement_sets(world: World, split: Split, count: int, seed: int) -> list[StatementSet]:
    """Sets of :data:`STATEMENTS` statements, of which 0 to :data:`MOST_PLANTED` are negated, and so false.

    Each has derivations about one thing of the split: its membership in a group, what is true of the group,
    and what follows.
    """
    rng = random.Random(seed)  # noqa: S311 - no secret
    things = list(things_of(world, split))
    rng.shuffle(things)
    sets: list[StatementSet] = []
    for thing in things:
        ways = [way for (one, _), found in world.derivations.items() if one == thing for way in found]
        rng.shuffle(ways)
        said: dict[str, tuple[Claim, Formula]] = {}
        for way in ways:
            steps = {claim.text: (claim, formula) for claim, formula in _steps(world, way)}
            if len(said | steps) <= STATEMENTS:
                said |= steps
        if len(said) < STATEMENTS:
            continue
        chosen = list(said.values())
        rng.shuffle(chosen)
        planted = set(rng.sample(range(STATEMENTS), len(sets) % (MOST_PLANTED + 1)))
        claims = (_negated(one) if place in planted else one for place, one in enumerate(chosen))
        sets.append(StatementSet(tuple(claims)))
        if len(sets) == count:
            break
    return sets


def _steps(world: World, way: Derivation) -> Iterator[tuple[Claim, Formula]]:
    """The membership, the group fact and the conclusion of a derivation, each true and with its formula."""
    yield membership(world, way.thing, way.group, True), Formula((("member", way.thing, way.group, True),))
    fact = group_fact(world, way.group, way.property).correct()
    yield fact, Formula((("fact", way.group, way.property, fact.holds),))
    end = derived(world, way.thing, way.property).correct()
    yield end, Formula((("end", way.thing, way.property, end.holds),))


def _negated(one: tuple[Claim, Formula]) -> tuple[Claim, Formula]:
    claim, formula = one
    return claim.negated(), formula.negated()


def found_premises(sets: Sequence[StatementSet], verifier: Verifier) -> tuple[Counts, int]:
    """Triples that the verifier finds, against those that logic gives; and how many candidates there were.

    Every two statements of a set are premises, every third the claim.
    """
    total, candidates = Counts(), 0
    for each in sets:
        forms = [Form(Literal(f"C{place}"), text) for place, text in enumerate(each.texts, 1)]
        formulas = {form.literal: formula for form, (_, formula) in zip(forms, each.claims, strict=True)}
        there = dict(_logical(forms, formulas))
        asked = triples(forms, forms)
        candidates += len(asked)
        pairs = [(joined(one.text, other.text), target.text) for one, other, target in asked]
        alone = [(form.text, target.text) for *both, target in asked for form in both]
        said = predict(verifier, alone).argmax(axis=1).tolist()
        found: dict[frozenset[Literal], Label] = {}
        for place, ((one, other, target), row) in enumerate(
            zip(asked, predict(verifier, pairs).tolist(), strict=True)
        ):
            for column, kind in KINDS:
                if row[column] > LEAST_P and column not in said[2 * place : 2 * place + 2]:
                    found[frozenset({one.literal, other.literal, Literal(f"→{target.literal}")})] = kind
        right = sum(there.get(key) == kind for key, kind in found.items())
        total += Counts(right, len(found) - right, len(there) - right)
    return total, candidates


def _logical(
    forms: Sequence[Form], formulas: Mapping[Literal, Formula]
) -> Iterator[tuple[frozenset[Literal], Label]]:
    """Triples that logic relates together, and neither premise alone."""
    for first, one in enumerate(forms):
        for other in forms[first + 1 :]:
            both = Formula((*formulas[one.literal].literals, *formulas[other.literal].literals))
            for target in forms:
                if target.literal in (one.literal, other.literal):
                    continue
                claim = formulas[target.literal]
                alone = {relation(formulas[form.literal], claim) for form in (one, other)}
                label = relation(both, claim)
                if label != "neutral" and alone == {"neutral"}:
                    yield frozenset({one.literal, other.literal, Literal(f"→{target.literal}")}), label


def said_in(sets: Sequence[StatementSet]) -> list[tuple[str, Formula]]:
    """The statements of all sets, and the explanations in them, each once with its formula.

    An explanation joins a membership and a fact about the group.
    """
    said = {claim.text: formula for each_set in sets for claim, formula in each_set.claims}
    for each_set in sets:
        said |= _explanations(each_set)
    return list(said.items())


def recall_of_pairs(
    sets: Sequence[StatementSet], each: int, pairs: Collection[tuple[int, int]] | None = None
) -> tuple[int, int]:
    """Of the ordered pairs that logic relates in all sets as one problem, how many are candidates.

    Args:
        each: most candidates for a statement.
        pairs: places in :func:`said_in` of other candidates than those of a problem.

    Returns:
        Found, and there.
    """
    claims = said_in(sets)
    if pairs is None:
        problem = Problem.of([text for text, _ in claims], asserted=ASSERTED)
        place_of = {claim.id: place for place, claim in enumerate(problem.claims)}
        config = TieConfig(each=each, budget=10**9, premises=False)
        planned = plan_ties(problem, config).plan.pairs
        pairs = {(place_of[source.literal.id], place_of[target.literal.id]) for source, target in planned}
    found = there = 0
    for place, (_, one) in enumerate(claims):
        for number, (_, other) in enumerate(claims):
            if place != number and relation(one, other) != "neutral":
                there += 1
                found += (place, number) in pairs
    return found, there


def _explanations(each: StatementSet) -> Mapping[str, Formula]:
    """The conjunctions of a membership with a fact about the same group."""
    found: dict[str, Formula] = {}
    for one, first in each.claims:
        for other, second in each.claims:
            (kind, _, group, _), (fact, about, _, _) = first.literals[0], second.literals[0]
            if (kind, fact) == ("member", "fact") and group == about:
                both = Formula((*first.literals, *second.literals))
                found[joined(one.text, other.text)] = both
    return found


def judged_sets(sets: Sequence[StatementSet], pipeline: Maieutic) -> tuple[Counts, Counts]:
    """Statements given up in one problem, and those judged false alone, against those that are false."""
    together, alone = Counts(), Counts()
    for each in sets:
        false = {text for text, (claim, _) in zip(each.texts, each.claims, strict=True) if not claim.truth}
        lost = {one.text for one in pipeline.check(each.texts).given_up}
        together += _counts(lost, false)
        answers = pipeline.ask_many(each.texts)
        alone += _counts({answer.statement for answer in answers if not answer.answer}, false)
    return together, alone


def _counts(lost: set[str], false: set[str]) -> Counts:
    return Counts(len(lost & false), len(lost - false), len(false - lost))


def main() -> None:
    """Print what the module's docstring names, on the test split, with the bundled models."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sets", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    world = load_world()
    sets = statement_sets(world, "test", args.sets, args.seed)
    counts, candidates = found_premises(sets, load_verifier("agora"))
    print(f"premises that combine: {counts} ({candidates} candidates)", flush=True)  # noqa: T201
    for each in (1, 4, 16, 48):
        found, there = recall_of_pairs(sets, each)
        print(f"retrieval, {each} for each: {found} of {there} related pairs", flush=True)  # noqa: T201
    pipeline = Maieutic.load(elicit=replace(ElicitConfig(), depth=0))
    together, alone = judged_sets(sets, pipeline)
    print(f"given up in one problem: {together}")  # noqa: T201
    print(f"judged false alone: {alone}")  # noqa: T201


if __name__ == "__main__":
    run_app(main)
