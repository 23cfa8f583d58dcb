"""Usage: what a text, a scored prompt and a pair cost, and that a run costs the sum of its replies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maieutic.benchmarks.methods.base import Outcome, charged
from maieutic.errors import InputError
from maieutic.inference import Inference, Joint, Vote
from maieutic.inference.weights import EVERY_TERM
from maieutic.lm.base import Prompt, SamplingParams
from maieutic.lm.local.model import TransformersLM
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.nli.lm import LanguageModelVerifier
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.prompts import load_prompts
from maieutic.relate import relate
from maieutic.tree import Proposition, Tree
from maieutic.usage import Usage

PAPER = load_prompts("paper")
USAGES = st.builds(Usage, *[st.integers(0, 99)] * 4)


def prompt(words: int) -> Prompt:
    """A prompt of so many words."""
    return Prompt("text", "", (), " ".join(["w"] * (words - 1)), "A:")


def model() -> ScriptedLanguageModel:
    return ScriptedLanguageModel(lambda _, index: " said" * (index + 1), lambda *_: 0.25)


@given(st.lists(USAGES, max_size=4))
def test_usages_add_up_field_by_field(usages: list[Usage]) -> None:
    total = sum(usages, Usage())
    for name in ("prompt_tokens", "generated_tokens", "calls", "pairs"):
        assert getattr(total, name) == sum(getattr(usage, name) for usage in usages)


@given(st.lists(st.integers(2, 9), max_size=6), st.integers(0, 4), st.integers(1, 3))
def test_a_text_costs_its_prompt_itself_and_a_call_and_a_scored_prompt_is_paid_once(
    words: list[int], n: int, options: int
) -> None:
    lm, prompts = model(), [prompt(count) for count in words]
    replies = lm.sample(prompts, n, SamplingParams(4))
    drawn = [sum((completion.usage for completion in row), Usage()) for row in replies]
    assert drawn == [Usage(n * count, n * (n + 1) // 2, n) for count in words]
    scores = lm.choose(prompts, [" yes", " no", " so"][:options])
    assert scores.usages == [Usage(count, calls=1) for count in words]


@pytest.mark.parametrize(
    ("call", "ask"),
    [
        ("draw", lambda lm, prompts: lm.sample(prompts, 3, SamplingParams(4, 1.0))),
        (
            "log_probabilities",
            lambda lm, prompts: [[one] for one in lm.choose(prompts, [" true", " false"]).usages],
        ),
    ],
)
def test_equal_prompts_are_computed_once_and_each_has_its_cost(
    call: str, ask: Callable[..., list[list[Any]]], llama_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lm = TransformersLM.load(str(llama_folder), device="cpu", dtype="float32")
    rows: list[int] = []
    compute = getattr(lm._decoder, call)

    def noted(batch: list[Any], *more: Any) -> Any:
        rows.append(len(batch))
        return compute(batch, *more)

    monkeypatch.setattr(lm._decoder, call, noted)
    one = Prompt("text", "", (), "Q: The sky is blue?", "A:")
    first, second = ask(lm, [one, one])
    assert first == second
    assert sum(rows) == len(first)


def test_each_outcome_has_its_usage_and_an_equal_share_of_the_seconds() -> None:
    first, second = charged([Outcome(True), Outcome(False)], [Usage(7, 0, 1), Usage()], 3.0)
    assert (first.usage, second.usage) == (Usage(7, 0, 1), Usage())
    assert (first.seconds, second.seconds) == (1.5, 1.5)
    assert charged([], [], 3.0) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_new_tokens", 0),
        ("temperature", -0.1),
        ("temperature", float("inf")),
        ("temperature", float("nan")),
        ("top_p", 0.0),
        ("top_p", 1.5),
        ("top_p", float("nan")),
        ("seed", -1),
    ],
)
def test_a_sampling_parameter_that_is_out_of_its_range_is_named(name: str, value: Any) -> None:
    with pytest.raises(InputError) as refused:
        SamplingParams(**{"max_new_tokens": 8, name: value})
    assert refused.value.subject == name


# -- the verifier --------------------------------------------------------------------------------------


def tree(twins: bool) -> Tree:
    """Q and two integral explanations, of the same words if they are twins."""

    def node(place: str, text: str) -> Proposition:
        parent = "Q" if place != "Q" else None
        return Proposition(place, parent, f"{text}.", f"Not {text}.", 0.9, 0.1, place != "Q")

    nodes = (node("Q", "ice"), node("QT0", "snow"), node("QF0", "snow" if twins else "rain"))
    return Tree("Ice.", "Ice.", "Not ice.", nodes)


@pytest.mark.parametrize("twins", [False, True])
@pytest.mark.parametrize(
    ("inference", "pairs"), [(Vote(), 6), (Joint(EVERY_TERM), 10)], ids=["vote", "joint"]
)
def test_every_ordered_pair_is_counted_and_a_model_that_is_its_own_verifier_pays_for_those_that_differ(
    twins: bool, inference: Inference, pairs: int
) -> None:
    verifier = ScriptedVerifier(lambda *_: "neutral")
    (related,) = relate([tree(twins)], verifier, inference)
    assert related.usage == Usage(pairs=pairs) == Usage(pairs=len(verifier.pairs))

    lm = model()
    both = relate([tree(twins), tree(twins)], LanguageModelVerifier(lm, PAPER), inference)
    distinct = set(verifier.pairs)
    assert len(distinct) == (pairs if not twins else {10: 5, 6: 3}[pairs])
    words = sum(len(PAPER.entailment(*pair).text().split()) for pair in distinct)
    assert [related.usage for related in both] == [Usage(words, 0, len(distinct), pairs)] * 2
    assert lm.choose_calls == [len(distinct)], "pairs that two trees share are asked once"
