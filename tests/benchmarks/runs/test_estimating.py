"""An estimate is exact for a small run, and a range that grows with the spread of what questions cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.benchmarks.datasets.base import Item
from maieutic.benchmarks.methods.base import Outcome, Usage
from maieutic.benchmarks.methods.maieutic import MaieuticMethod
from maieutic.benchmarks.runs.estimating import OF_TREES, SAMPLE, Estimate, estimate
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.models import LoadedModels
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.prompts import load_prompts
from maieutic.tree import Proposition, Tree

LM, VERIFIER = ScriptedLanguageModel(lambda *_: "", lambda *_: 0.5), ScriptedVerifier(lambda *_: "neutral")
MODELS = LoadedModels(LM, VERIFIER, load_prompts("paper"))


class Clock:
    """A clock that stands still but for what is charged."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now


@dataclass(frozen=True)
class Priced:
    """A batch takes ``fixed`` seconds and ``each`` for a question; the first takes ``once`` more."""

    clock: Clock
    tokens: Sequence[int]
    fixed: float = 0.0
    each: float = 1.0
    once: float = 0.0

    @property
    def uses_verifier(self) -> bool:
        return False

    @property
    def prompt_kinds(self) -> tuple[str, ...]:
        return ()

    def run(self, texts: Sequence[str], models: LoadedModels) -> list[Outcome]:
        first = self.once if self.clock.now == 0.0 else 0.0
        self.clock.now += first + self.fixed + self.each * len(texts)
        return [
            Outcome(True, usage=Usage(10, self.tokens[int(text) % len(self.tokens)], 2, 3)) for text in texts
        ]


def guessed(
    patch: pytest.MonkeyPatch, questions: int, tokens: Sequence[int] = (7,), batch: int = 32, **times: float
) -> Estimate:
    clock = Clock()
    patch.setattr("maieutic.benchmarks.runs.estimating.time.perf_counter", clock.perf_counter)
    items = [Item(f"q{k}", f"{k}", True) for k in range(questions)]
    return estimate(items, Priced(clock, tokens, **times), MODELS, batch, 0)


@settings(deadline=None, max_examples=30)
@given(questions=st.integers(1, SAMPLE - 1))
def test_a_run_no_larger_than_the_sample_is_known(questions: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        found = guessed(patch, questions, tokens=(1, 5, 9))
    assert found.generated_tokens.low == found.generated_tokens.high
    assert found.generated_tokens.low == sum((1, 5, 9)[k % 3] for k in range(questions))
    assert found.minutes.low == found.minutes.high == questions / 60


@settings(deadline=None, max_examples=30)
@given(
    questions=st.integers(SAMPLE + 1, 500),
    batch=st.integers(5, 64),
    fixed=st.floats(0, 20),
    each=st.floats(0.01, 5),
    once=st.floats(0, 50),
)
def test_where_questions_cost_the_same_the_time_of_the_run_is_in_the_range(
    questions: int, batch: int, fixed: float, each: float, once: float
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        found = guessed(patch, questions, batch=batch, fixed=fixed, each=each, once=once)
    for unlike in (1.0, 2.0, 4.0):  # the calls of a question that is not in the sample, all of which have two
        mean = (2 * SAMPLE + unlike) / (SAMPLE + 1)
        assert found.calls.low <= mean * questions * (1 + 1e-9)
        assert found.calls.high >= mean * questions * (1 - 1e-9)
    whole = once + fixed * -(-questions // batch) + each * questions
    slack = (fixed + each) / 60 + 1e-9  # the first batch has a question of its own
    assert found.minutes.low - slack <= whole / 60 <= found.minutes.high + slack


@pytest.mark.parametrize(("load", "share"), [(0.1, 1.0), (2.0, 1.0), (8.0, 0.25)])
def test_on_a_busy_machine_the_run_may_be_faster_than_the_sample(
    monkeypatch: pytest.MonkeyPatch, load: float, share: float
) -> None:
    monkeypatch.setattr("maieutic.benchmarks.runs.estimating.usable_cores", lambda: 2)
    monkeypatch.setattr("os.getloadavg", lambda: (0.0, 0.0, 0.0), raising=False)
    alone = guessed(monkeypatch, 400, fixed=1.0).minutes
    monkeypatch.setattr("os.getloadavg", lambda: (load, 0.0, 0.0), raising=False)
    found = guessed(monkeypatch, 400, fixed=1.0).minutes
    assert found.low == pytest.approx(share * alone.low)
    assert found.high == alone.high


def test_more_questions_are_sampled_where_they_bring_their_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    trees = [Tree("0", "0", "1", (Proposition("Q", None, "0", "1", 0.9, 0.1),)) for _ in range(100)]
    items = [Item(f"q{k}", f"{k}", True, tree=tree) for k, tree in enumerate(trees)]
    found = estimate(items, MaieuticMethod(), MODELS, 32, 0)
    assert (found.sampled, found.questions) == (sum(OF_TREES), 100)
    assert (found.calls.high, found.generated_tokens.high) == (0, 0)


def test_the_range_is_wider_where_questions_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    same, other = guessed(monkeypatch, 400, (50,)), guessed(monkeypatch, 400, (0, 100))
    for low, high in ((found.generated_tokens.low, found.generated_tokens.high) for found in (same, other)):
        assert low < 400 * 50 < high
    assert other.generated_tokens.low < same.generated_tokens.low
    assert other.generated_tokens.high > same.generated_tokens.high
    assert other.minutes.high - other.minutes.low > same.minutes.high - same.minutes.low
