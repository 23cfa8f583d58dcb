from __future__ import annotations

import numpy as np

from maieutic.lm.base import Prompt
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.nli.base import Pair
from maieutic.nli.calls import score_pairs
from maieutic.nli.lm import LanguageModelVerifier
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.usage import Usage

# What the scripted model thinks of contradiction, neutral, entailment; not normalised.
OPINIONS: dict[Pair, tuple[float, float, float]] = {
    ("rain", "wet"): (0.01, 0.03, 0.36),
    ("rain", "dry"): (0.2, 0.0, 0.0),
    ("rain", "cheese"): (0.0, 0.0, 0.0),
}


class StubPrompts:
    relation_options = (" no", " maybe", " yes")

    def entailment(self, premise: str, hypothesis: str) -> Prompt:
        return Prompt("text", "", (), f"{premise}|{hypothesis}", "Answer:")


def opinion(prompt: Prompt, option: str) -> float:
    premise, hypothesis = prompt.query.split("|")
    return OPINIONS[premise, hypothesis][StubPrompts.relation_options.index(option)]


def scripted() -> ScriptedLanguageModel:
    return ScriptedLanguageModel(reply=lambda *_: "", probability=opinion)


def test_the_three_options_are_scaled_to_sum_to_one() -> None:
    verifier = LanguageModelVerifier(scripted(), StubPrompts())
    scores = verifier.predict(list(OPINIONS))
    assert scores.dtype == np.float32
    expected = [[0.025, 0.075, 0.9], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    np.testing.assert_allclose(scores, expected, atol=1e-6)


def test_each_distinct_pair_is_asked_once() -> None:
    lm = scripted()
    verifier = LanguageModelVerifier(lm, StubPrompts())
    scores = verifier.predict([*OPINIONS, *OPINIONS])
    assert lm.choose_calls == [3]
    assert np.array_equal(scores[:3], scores[3:])


def test_each_pair_is_charged_its_prompt() -> None:
    prompts, pairs = StubPrompts(), [*OPINIONS, next(iter(OPINIONS))]
    scores = score_pairs(LanguageModelVerifier(scripted(), prompts), pairs)
    words = [len(prompts.entailment(*pair).text().split()) for pair in pairs]
    assert list(scores.usages) == [Usage(count, calls=1) for count in words]
    assert np.array_equal(scores.probabilities, LanguageModelVerifier(scripted(), prompts).predict(pairs))


def test_a_classifier_takes_nothing_of_the_language_model() -> None:
    verifier = ScriptedVerifier(lambda *_: "neutral")
    scores = score_pairs(verifier, [("rain", "wet"), ("rain", "dry")])
    assert scores.usages == (Usage(), Usage())
    assert np.array_equal(scores.probabilities, verifier.predict(verifier.pairs[:2]))


def test_no_pairs() -> None:
    assert LanguageModelVerifier(scripted(), StubPrompts()).predict([]).shape == (0, 3)


def test_the_name_tells_who_judges() -> None:
    assert LanguageModelVerifier(scripted(), StubPrompts()).name == "lm:scripted"
