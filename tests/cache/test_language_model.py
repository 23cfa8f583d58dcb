"""The cached language model: it answers as the model does, and asks it for what is missing and no more."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maieutic.cache import database
from maieutic.cache.language_model import CachedLanguageModel
from maieutic.cache.store import ResponseStore, Tally
from maieutic.checkpoints.fingerprints import checkpoint_fingerprint
from maieutic.errors import ContextLengthError, InputError
from maieutic.lm import load_lm
from maieutic.lm.base import Completion, LanguageModel, OptionScores, Prompt, SamplingParams, Shot
from maieutic.lm.scripted import ScriptedLanguageModel

SAMPLING, GREEDY = SamplingParams(8, 1.0), SamplingParams(8)
OPTIONS = (" true", " false")


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "SYNCHRONOUS", "OFF")


@pytest.fixture
def store(tmp_path: Path) -> ResponseStore:
    return ResponseStore(tmp_path / "responses.sqlite3")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> ResponseStore:
    return ResponseStore(tmp_path_factory.mktemp("shared") / "responses.sqlite3")


def drawn(*key: object) -> bytes:
    return hashlib.sha256(repr(key).encode("utf-8", "surrogatepass")).digest()


def about(prompt: Prompt) -> tuple[object, ...]:
    return prompt.format, prompt.instruction, prompt.shots, prompt.query, prompt.opening


@dataclass
class Model:
    """Keeps the promises of the protocol: a text depends on its prompt, index, parameters and seed alone."""

    fingerprint: str = "a model"
    name: str = "model"
    prompts: str = "paper"
    sampled: list[tuple[int, int]] = field(default_factory=list)  # prompts and n of each call
    chosen: list[int] = field(default_factory=list)

    def sample(self, prompts: Sequence[Prompt], n: int, params: SamplingParams) -> list[list[Completion]]:
        self.sampled.append((len(prompts), n))
        parameters = (self.fingerprint, params.max_new_tokens, float(params.temperature), params.top_p)
        draws = [() if params.greedy else (params.seed, index) for index in range(n)]
        return [[self.complete(p, drawn(about(p), parameters, draw)) for draw in draws] for p in prompts]

    def complete(self, prompt: Prompt, random: bytes) -> Completion:
        """The counts of tokens are as random as the text."""
        return Completion(self.text(random), self.length(prompt), int.from_bytes(random[-2:], "little"))

    def length(self, prompt: Prompt) -> int:
        return int.from_bytes(drawn(self.fingerprint, about(prompt))[:3], "little")

    def text(self, random: bytes) -> str:
        """Sometimes empty, sometimes with a character that is none."""
        return "".join(chr(byte) if byte < 250 else "\ud83d" for byte in random[: random[0] % 20])

    def choose(self, prompts: Sequence[Prompt], options: Sequence[str]) -> OptionScores:
        self.chosen.append(len(prompts))
        keys = [(self.fingerprint, about(prompt), tuple(options)) for prompt in prompts]
        size = max(1, len(options)) * 2**64
        rows = [[int.from_bytes(drawn(key, o)[:8], "little") / size for o in options] for key in keys]
        table = np.array(rows, dtype=np.float64).reshape(len(prompts), len(options))
        return OptionScores(table, tuple(map(self.length, prompts)))


def prompt(query: str = "Q: Ice is cold?") -> Prompt:
    return Prompt("text", "Judge.", (Shot("Q: Fire is hot?", "A: true"),), query, "A:")


def equal(one: OptionScores, other: OptionScores) -> bool:
    """Whether they are the same to the last bit."""
    same = one.probabilities.tobytes() == other.probabilities.tobytes()
    return same and one.prompt_tokens == other.prompt_tokens


# -- the same answers ----------------------------------------------------------------------------------

PROMPTS = st.lists(
    st.builds(prompt, st.sampled_from(["Q: a?", "Q: b?", "Q: \ud800?"])),
    max_size=5,
)
PARAMS = st.builds(
    SamplingParams,
    max_new_tokens=st.sampled_from([1, 64]),
    temperature=st.sampled_from([0.0, 0, 0.5, 1, 1.0]),
    top_p=st.sampled_from([0.9, 1.0]),
    seed=st.integers(0, 2),
)
SAMPLES = st.tuples(st.integers(0, 4), PARAMS)
CHOICES = st.lists(st.sampled_from([" true", " false", " so"]), max_size=3)
REQUESTS = st.lists(st.tuples(PROMPTS, SAMPLES | CHOICES), max_size=8)


def asked(
    lm: LanguageModel, prompts: Sequence[Prompt], request: tuple[int, SamplingParams] | list[str]
) -> object:
    """The answer, probabilities as their bits."""
    if isinstance(request, tuple):
        return lm.sample(prompts, *request)
    scores = lm.choose(prompts, request)
    table = scores.probabilities
    assert (str(table.dtype), table.shape) == ("float64", (len(prompts), len(request)))
    return table.tobytes(), scores.prompt_tokens


@given(REQUESTS)
def test_it_answers_as_the_model_does_and_the_second_time_without_it(
    shared: ResponseStore, requests: list[Any]
) -> None:
    model = Model(fingerprint=uuid4().hex)  # examples share the file, and none has seen this one
    cached, plain = CachedLanguageModel(model, shared), replace(model, sampled=[], chosen=[])
    for prompts, request in requests:
        assert asked(cached, prompts, request) == asked(plain, prompts, request)
    assert len(model.sampled) <= 4 * len(plain.sampled)
    model.sampled, model.chosen = [], []
    for prompts, request in requests:
        assert asked(cached, prompts, request) == asked(plain, prompts, request)
    assert (model.sampled, model.chosen) == ([], [])


def test_a_warm_start_in_another_process_asks_nothing(tmp_path: Path) -> None:
    first, second = Model(), Model()
    for model in (first, second):
        store = ResponseStore(tmp_path / "responses.sqlite3")
        lm = CachedLanguageModel(model, store)
        texts = lm.sample([prompt(), prompt("Q: b?")], 3, SAMPLING)
        scores = lm.choose([prompt()], OPTIONS)
        store.close()
        assert texts == Model().sample([prompt(), prompt("Q: b?")], 3, SAMPLING)
        assert equal(scores, Model().choose([prompt()], OPTIONS))
    assert (first.sampled, first.chosen) == ([(2, 3)], [1])
    assert (second.sampled, second.chosen) == ([], [])


def test_two_models_can_share_a_store(store: ResponseStore) -> None:
    one, other = (CachedLanguageModel(Model(fingerprint=name, name=name), store) for name in "ab")
    assert one.sample([prompt()], 1, SAMPLING) != other.sample([prompt()], 1, SAMPLING)
    assert not equal(one.choose([prompt()], OPTIONS), other.choose([prompt()], OPTIONS))
    assert {share.model for share in store.contents().models} == {"a", "b"}
    assert (one.name, one.prompts) == ("a", "paper")


# -- only what is missing ------------------------------------------------------------------------------


def test_more_samples_are_the_first_ones_and_new_ones(store: ResponseStore) -> None:
    model = Model()
    lm = CachedLanguageModel(model, store)
    (three,) = lm.sample([prompt()], 3, SAMPLING)
    (five,) = lm.sample([prompt()], 5, SAMPLING)
    assert five[:3] == three
    assert len(set(five)) == 5
    assert model.sampled == [(1, 3), (1, 5)]
    assert lm.sample([prompt()], 2, SAMPLING) == [five[:2]]
    assert len(model.sampled) == 2


def test_what_lacks_as_many_samples_is_asked_for_in_one_call(store: ResponseStore) -> None:
    model = Model()
    lm = CachedLanguageModel(model, store)
    a, b, c, d = (prompt(f"Q: {name}?") for name in "abcd")
    lm.sample([a, b], 3, SAMPLING)
    model.sampled.clear()
    assert lm.sample([a, c, b, d, c], 3, SAMPLING) == Model().sample([a, c, b, d, c], 3, SAMPLING)
    assert model.sampled == [(2, 3)]
    lm.sample([a, prompt("Q: e?")], 4, SAMPLING)
    assert model.sampled == [(2, 3), (2, 4)]


def test_a_sample_that_is_kept_stays_what_it_was(store: ResponseStore) -> None:
    """Rounding may make a model say something else in another batch."""
    words = iter(range(100))
    lm = CachedLanguageModel(
        ScriptedLanguageModel(lambda *_: f"word {next(words)}", lambda *_: 0.5, fingerprint="moody"), store
    )
    (first,) = lm.sample([prompt()], 2, SAMPLING)
    (second,) = lm.sample([prompt()], 3, SAMPLING)
    assert [one.text for one in first] == ["word 0", "word 1"]
    assert second[:2] == first
    assert lm.sample([prompt()], 3, SAMPLING) == [second]


def test_greedy_texts_are_one_entry_whatever_the_seed_and_the_number(store: ResponseStore) -> None:
    model = Model()
    lm = CachedLanguageModel(model, store)
    (texts,) = lm.sample([prompt()], 3, GREEDY)
    assert len(set(texts)) == 1
    assert lm.sample([prompt()], 1, replace(GREEDY, seed=7)) == [texts[:1]]
    assert model.sampled == [(1, 1)]
    assert store.contents().entries == 1


def test_equal_prompts_are_one_entry(store: ResponseStore) -> None:
    model = Model()
    lm = CachedLanguageModel(model, store)
    lm.sample([prompt(), prompt()], 1, SAMPLING)
    lm.choose([prompt(), prompt()], OPTIONS)
    assert (model.sampled, model.chosen) == ([(1, 1)], [1])
    assert store.contents().entries == 2


def test_every_request_is_counted_and_those_that_were_answered_from_the_store(store: ResponseStore) -> None:
    lm = CachedLanguageModel(Model(), store)
    lm.sample([prompt(), prompt()], 3, SAMPLING)
    assert store.tally == Tally(6, 0)
    lm.sample([prompt()], 4, SAMPLING)
    assert store.tally == Tally(10, 3)
    lm.sample([prompt()], 2, GREEDY)
    lm.sample([prompt()], 5, GREEDY)
    assert store.tally == Tally(17, 8)
    lm.choose([prompt()], OPTIONS)
    lm.choose([prompt(), prompt("Q: b?"), prompt()], OPTIONS)
    assert store.tally == Tally(21, 10)


def test_a_call_that_fails_leaves_nothing_behind_and_what_was_answered_stays(store: ResponseStore) -> None:
    def reply(asked: Prompt, _: int) -> str:
        if "long" in asked.query:
            raise ContextLengthError("too long")
        return "said"

    model = ScriptedLanguageModel(reply, lambda *_: 0.5, fingerprint="narrow")
    lm = CachedLanguageModel(model, store)
    with pytest.raises(ContextLengthError):
        lm.sample([prompt(), prompt("Q: long?")], 1, SAMPLING)
    assert store.contents().entries == 0
    assert lm.sample([prompt()], 1, SAMPLING) == [[Completion("said", 12, 1)]]


# -- nothing is taken for something else ---------------------------------------------------------------

CHANGES: dict[str, Callable[[Prompt], Prompt]] = {
    "format": lambda p: replace(p, format="chat"),
    "instruction": lambda p: replace(p, instruction="Judge"),
    "shots": lambda p: replace(p, shots=()),
    "shot's reply": lambda p: replace(p, shots=(Shot("Q: Fire is hot?", "A: false"),)),
    "shot's seam": lambda p: replace(p, shots=(Shot("Q: Fire is hot?\nA:", " true"),)),
    "query": lambda p: replace(p, query="Q: Ice is cold"),
    "opening": lambda p: replace(p, opening="A"),
    "seam": lambda p: replace(p, query="Q: Ice is cold?\nA:", opening=""),
}


@pytest.mark.parametrize("change", CHANGES)
def test_another_prompt_is_asked_anew(store: ResponseStore, change: str) -> None:
    model = Model()
    lm = CachedLanguageModel(model, store)
    for one in (prompt(), CHANGES[change](prompt())):
        lm.sample([one], 1, SAMPLING)
        lm.choose([one], OPTIONS)
    assert (model.sampled, model.chosen) == ([(1, 1)] * 2, [1] * 2)


@pytest.mark.parametrize(
    "change",
    [{"max_new_tokens": 9}, {"temperature": 0.9}, {"temperature": 0.0}, {"top_p": 0.9}, {"seed": 1}],
    ids=str,
)
def test_other_parameters_are_asked_anew(store: ResponseStore, change: dict[str, Any]) -> None:
    model = Model()
    lm = CachedLanguageModel(model, store)
    lm.sample([prompt()], 1, SAMPLING)
    lm.sample([prompt()], 1, replace(SAMPLING, **change))
    assert len(model.sampled) == 2


@given(CHOICES, CHOICES)
def test_other_options_are_asked_anew(shared: ResponseStore, one: list[str], other: list[str]) -> None:
    model = Model(fingerprint=uuid4().hex)
    lm = CachedLanguageModel(model, shared)
    lm.choose([prompt()], one)
    lm.choose([prompt()], other)
    assert len(model.chosen) == 1 + (one != other)


# -- which model it is ---------------------------------------------------------------------------------


def test_a_model_without_a_fingerprint_is_refused(store: ResponseStore) -> None:
    lm = ScriptedLanguageModel(lambda *_: "", lambda *_: 0.5, name="my-model")
    with pytest.raises(InputError):
        CachedLanguageModel(lm, store)


def test_a_model_of_this_process_answers_from_the_store_to_the_last_bit(
    llama_folder: Path, store: ResponseStore
) -> None:
    plain = load_lm(str(llama_folder), device="cpu", dtype="float32")
    cold = CachedLanguageModel(plain, store)
    warm = CachedLanguageModel(
        Model(fingerprint=checkpoint_fingerprint(llama_folder, "float32", "cpu")), store
    )
    prompts = [prompt(), prompt("Q: The sky is blue?")]
    scores = plain.choose(prompts, OPTIONS)
    assert equal(cold.choose(prompts, OPTIONS), scores)
    assert equal(warm.choose(prompts, OPTIONS), scores)
    texts = cold.sample(prompts, 2, SAMPLING)
    assert texts == plain.sample(prompts, 2, SAMPLING)
    assert warm.sample(prompts, 2, SAMPLING) == texts
