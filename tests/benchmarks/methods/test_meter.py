"""Metering: what is charged, to whom, and that counting is cheap and changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.benchmarks.methods.base import Outcome, Usage
from maieutic.benchmarks.methods.meter import Metered, charged, relating
from maieutic.lm.base import LanguageModel, Prompt, ScriptedLanguageModel
from maieutic.lm.local.model import TransformersLM
from maieutic.nli.base import ScriptedVerifier
from maieutic.nli.lm import LanguageModelVerifier
from maieutic.pipeline import LoadedModels
from maieutic.prompts import load_prompts
from maieutic.relate import relate
from maieutic.tree import Proposition, Tree

SAMPLING: dict[str, Any] = {"max_new_tokens": 4, "temperature": 1.0, "top_p": 1.0, "seed": 0}
PAPER = load_prompts("paper")


def prompt(words: int, owner: str = "") -> Prompt:
    """A prompt of so many words."""
    return Prompt("text", "", (), " ".join(["w"] * (words - 1)), "A:", owner)


def model() -> ScriptedLanguageModel:
    return ScriptedLanguageModel(lambda _, index: " said" * (index + 1), lambda *_: 0.5)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(2, 9), st.sampled_from("abc")), max_size=6),
    st.integers(0, 4),
    st.integers(1, 3),
)
def test_a_text_costs_its_prompt_itself_and_a_call_and_a_scored_prompt_is_paid_once(
    asked: list[tuple[int, str]], n: int, options: int
) -> None:
    lm = Metered(model())
    prompts = [prompt(words, owner) for words, owner in asked]
    lm.sample(prompts, n, **SAMPLING)
    lm.choose(prompts, [" yes", " no", " so"][:options])
    for owner in "abc":
        words = [count for count, name in asked if name == owner]
        generated = len(words) * n * (n + 1) // 2
        assert lm.usage(owner) == Usage((n + 1) * sum(words), generated, (n + 1) * len(words))
    assert lm.usage("") == Usage()


def test_it_answers_as_the_model_does_under_its_name() -> None:
    plain = model()
    lm: LanguageModel = Metered(plain)
    prompts = [prompt(3, "0"), prompt(4, "1")]
    assert lm.sample(prompts, 2, **SAMPLING) == plain.sample(prompts, 2, **SAMPLING)
    assert np.array_equal(lm.choose(prompts, [" yes"]), plain.choose(prompts, [" yes"]))
    assert (lm.name, lm.prompts) == (plain.name, plain.prompts)
    assert lm.count_tokens([*prompts, "three small words"]) == [3, 4, 3]


def test_each_text_is_counted_once_whoever_owns_it() -> None:
    counted: Counter[Prompt | str] = Counter()

    class Counting(ScriptedLanguageModel):
        def count_tokens(self, texts: Sequence[Prompt | str]) -> list[int]:
            counted.update(texts)
            return super().count_tokens(texts)

    lm = Metered(Counting(lambda *_: " said", lambda *_: 0.5))
    for _ in range(3):
        lm.sample([prompt(3, "0"), prompt(3, "1"), prompt(5, "1")], 2, **SAMPLING)
        lm.choose([prompt(3, "2")], [" yes"])
    assert counted == Counter([prompt(3), prompt(5), " said"])
    assert lm.usage(1) == Usage(3 * 2 * (3 + 5), 3 * 4, 3 * 4)


@pytest.mark.parametrize("call", ["sample", "choose"])
def test_equal_prompts_are_computed_once_and_charged_to_both_owners(
    call: str, llama_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = TransformersLM.load(str(llama_folder), device="cpu", dtype="float32")
    rows: list[int] = []
    inner = {"sample": "draw", "choose": "log_probabilities"}[call]
    compute = getattr(real._decoder, inner)

    def noted(batch: list[Any], *more: Any) -> Any:
        rows.append(len(batch))
        return compute(batch, *more)

    monkeypatch.setattr(real._decoder, inner, noted)
    lm = Metered(real)
    one, other = (Prompt("text", "", (), "Q: The sky is blue?", "A:", owner) for owner in ("0", "1"))
    if call == "sample":
        first, second = lm.sample([one, other], 3, **SAMPLING)
        generated = sum(real.count_tokens(first))
        assert first == second
    else:
        first_row, second_row = lm.choose([one, other], [" true", " false"])
        assert first_row.tolist() == second_row.tolist()
        generated = 0
    calls = 3 if call == "sample" else 1
    assert sum(rows) == calls
    (length,) = real.count_tokens([one])
    assert lm.usage(0) == lm.usage(1) == Usage(calls * length, generated, calls)


def test_seconds_are_shared_equally_and_usage_goes_to_its_place() -> None:
    lm = Metered(model())
    lm.choose([prompt(7, "1")], [" yes"])
    first, second = charged([Outcome(True), Outcome(False)], lm, 3.0)
    assert (first.usage, second.usage) == (Usage(), Usage(7, 0, 1))
    assert (first.seconds, second.seconds) == (1.5, 1.5)
    assert charged([], lm, 3.0) == []


# -- the verifier --------------------------------------------------------------------------------------


def tree(twins: bool) -> Tree:
    """Q and two integral explanations, of the same words if they are twins."""

    def node(place: str, text: str) -> Proposition:
        parent = "Q" if place != "Q" else None
        return Proposition(place, parent, f"{text}.", f"Not {text}.", 0.9, 0.1, place != "Q")

    nodes = (node("Q", "ice"), node("QT0", "snow"), node("QF0", "snow" if twins else "rain"))
    return Tree("Ice.", "Ice.", "Not ice.", nodes)


@pytest.mark.parametrize("twins", [False, True])
@pytest.mark.parametrize("from_root", [False, True])
def test_every_ordered_pair_is_counted_and_a_model_that_is_its_own_verifier_pays_for_those_that_differ(
    twins: bool, from_root: bool
) -> None:
    verifier = ScriptedVerifier(lambda *_: "neutral")
    models = LoadedModels(model(), verifier, PAPER)
    (graph,) = relate([tree(twins)], verifier, from_root=from_root)
    pairs = 10 if from_root else 6
    assert (
        relating(graph, models, Metered(models.lm)) == Usage(pairs=pairs) == Usage(pairs=len(verifier.asked))
    )

    lm = model()
    own = LoadedModels(lm, LanguageModelVerifier(lm, PAPER), PAPER)
    (graph,) = relate([tree(twins)], own.verifier, from_root=from_root)
    distinct = set(verifier.asked)
    assert len(distinct) == (pairs if not twins else {10: 5, 6: 3}[pairs])
    prompts = [PAPER.entailment(*pair) for pair in distinct]
    expected = Usage(sum(lm.count_tokens(prompts)), 0, len(distinct), pairs)
    assert relating(graph, own, Metered(lm)) == expected
    assert lm.choose_calls == [len(distinct)]
