"""Sets of statements of Agora: what is planted, what logic gives, and what is counted."""

from __future__ import annotations

from maieutic.benchmarks.agora.logic import Formula, relation
from maieutic.benchmarks.agora.together import (
    MOST_PLANTED,
    STATEMENTS,
    Counts,
    found_premises,
    judged_sets,
    recall_of_pairs,
    said_in,
    statement_sets,
)
from maieutic.benchmarks.agora.world import load_world
from maieutic.config import ElicitConfig
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.pipeline import Maieutic

SETS = statement_sets(load_world(), "dev", 8, seed=0)


def test_sets_have_ten_statements_and_up_to_three_falsehoods() -> None:
    assert len(SETS) == 8
    planted = [sum(not claim.truth for claim, _ in one.claims) for one in SETS]
    assert planted == [number % (MOST_PLANTED + 1) for number in range(8)]
    assert all(len({*one.texts}) == STATEMENTS for one in SETS)
    assert statement_sets(load_world(), "dev", 8, seed=0) == SETS


def test_a_verifier_that_follows_logic_finds_premises_and_invents_none() -> None:
    formulas = {
        text: formula for one in SETS for text, (_, formula) in zip(one.texts, one.claims, strict=True)
    }

    def judge(premise: str, hypothesis: str) -> str:
        literals = [
            literal
            for text, formula in formulas.items()
            if text.rstrip(".").casefold() in premise.casefold()
            for literal in formula.literals
        ]
        known = formulas[hypothesis]
        return relation(Formula(tuple(dict.fromkeys(literals))), known) if literals else "neutral"

    counts, candidates = found_premises(SETS, ScriptedVerifier(judge))
    assert counts.wrong == 0
    assert 0 < counts.right <= candidates
    assert counts.right > counts.missed


def test_retrieval_finds_more_with_a_larger_budget() -> None:
    few, there = recall_of_pairs(SETS, 1)
    many, same = recall_of_pairs(SETS, 48)
    assert there == same
    assert few <= many <= there
    places = range(len(said_in(SETS)))
    everything = {(one, other) for one in places for other in places}
    assert recall_of_pairs(SETS, 1, everything) == (there, there)
    assert recall_of_pairs(SETS, 1, set()) == (0, there)


def test_what_is_given_up_is_counted_against_what_is_false() -> None:
    false = {
        text
        for one in SETS
        for text, (claim, _) in zip(one.texts, one.claims, strict=True)
        if not claim.truth
    }

    def probability(prompt: object, option: str) -> float:
        if option not in (" true", " false"):
            return 0.3
        wrong = any(text.rstrip(".") in str(prompt) for text in false)
        return 0.05 if wrong == (option == " true") else 0.9

    lm = ScriptedLanguageModel(lambda *_: "", probability)
    pipeline = Maieutic(lm, ScriptedVerifier(lambda *_: "neutral"), elicit=ElicitConfig(depth=0))
    together, alone = judged_sets(SETS, pipeline)
    assert together.right + together.missed == alone.right + alone.missed == len(false)
    assert "precision" in str(together + Counts(1, 0, 0))
