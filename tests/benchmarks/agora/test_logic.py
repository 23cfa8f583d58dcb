from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maieutic.benchmarks.agora.logic import Formula, relation
from maieutic.benchmarks.agora.scenes import scene
from maieutic.benchmarks.agora.world import World

SUBJECTS, GROUPS, PROPERTIES = ("a cat", "a spoon"), ("pets", "tools"), ("sleeps", "shines")


@st.composite
def formulas(draw: st.DrawFn) -> Formula:
    """A chain, the negation of one, or a single claim."""
    subject, group, name = (draw(st.sampled_from(names)) for names in (SUBJECTS, GROUPS, PROPERTIES))
    sign = draw(st.booleans())
    member, fact, end = (
        ("member", subject, group, True),
        ("fact", group, name, sign),
        ("end", subject, name, sign),
    )
    formula = draw(
        st.sampled_from([Formula((member, fact)), *(Formula((each,)) for each in (member, fact, end))])
    )
    return formula.negated() if draw(st.booleans()) else formula


@given(formulas())
def test_a_sentence_entails_itself_and_contradicts_its_negation(one: Formula) -> None:
    assert relation(one, one) == "entailment"
    assert relation(one, one.negated()) == relation(one.negated(), one) == "contradiction"
    assert one.negated().negated() == one


@given(formulas(), formulas())
def test_contradiction_is_mutual_and_entailment_is_to_contradict_the_negation(
    one: Formula, other: Formula
) -> None:
    assert (relation(one, other) == "contradiction") == (relation(other, one) == "contradiction")
    assert (relation(one, other) == "entailment") == (relation(one, other.negated()) == "contradiction")


@given(formulas(), formulas(), formulas())
def test_what_follows_from_what_follows_is_never_contradicted(
    one: Formula, two: Formula, three: Formula
) -> None:
    """It may be neutral: the law of chains covers only what the two sentences mention."""
    if relation(one, two) == relation(two, three) == "entailment":
        assert relation(one, three) != "contradiction"


def test_a_chain_entails_what_it_derives_and_the_negation_of_a_chain_to_the_contrary() -> None:
    chain = Formula((("member", "a cat", "pets", True), ("fact", "pets", "sleeps", True)))
    end = Formula((("end", "a cat", "sleeps", True),))
    contrary = Formula((("member", "a cat", "tools", True), ("fact", "tools", "sleeps", False)))
    assert relation(chain, end) == "entailment"
    assert relation(end.negated(), chain.negated()) == "entailment"
    assert relation(chain, contrary) == "contradiction"
    assert relation(chain, contrary.negated()) == "entailment"
    assert relation(chain.negated(), contrary) == "neutral"
    assert relation(chain.negated(), end) == "neutral"


@pytest.mark.parametrize("label", ["contradiction", "neutral", "entailment"])
def test_scenes_hold_every_form_against_every_other(world: World, label: str) -> None:
    """Explanations, negations and claims occur as premises and hypotheses wherever the label allows it."""
    rng = random.Random(3)
    names = iter(range(10**9))

    def form(text: str) -> str:
        return "negation" if ", or " in text else "chain" if ", and " in text else "claim"

    pairs = [scene(world, lambda _: f"thing {next(names)}", label, rng) for _ in range(400)]  # type: ignore[arg-type]
    forms = Counter((form(premise), form(hypothesis)) for premise, hypothesis in pairs)
    every = {
        (one, other) for one in ("chain", "negation", "claim") for other in ("chain", "negation", "claim")
    }
    # A negated chain says too little to contradict another, and too little to entail anything but itself.
    cannot = {
        "contradiction": {("negation", "negation"), ("negation", "claim"), ("claim", "negation")},
        "entailment": {("negation", "chain"), ("negation", "claim"), ("claim", "chain")},
        "neutral": set(),
    }[label]
    assert set(forms) == every - cannot
