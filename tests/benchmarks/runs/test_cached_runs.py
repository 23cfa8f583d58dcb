"""Benchmarks with a response cache: the same outcomes, no call the second time, and it is said."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, NoReturn

import pytest

from maieutic.benchmarks.analysis.comparison import compare
from maieutic.benchmarks.analysis.metrics import measure
from maieutic.benchmarks.datasets.base import Item
from maieutic.benchmarks.methods import METHODS, build_method
from maieutic.benchmarks.report.tables import accuracy_table
from maieutic.benchmarks.runs.folder import read_run
from maieutic.benchmarks.runs.records import Record
from maieutic.benchmarks.runs.runner import run as run_items
from maieutic.cache.language_model import CachedLanguageModel
from maieutic.cache.store import ResponseStore, Tally
from maieutic.cache.verifier import CachedVerifier
from maieutic.errors import MaieuticError
from maieutic.lm.base import Prompt
from maieutic.lm.local.model import TransformersLM
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.models import LoadedModels
from maieutic.nli.lm import LanguageModelVerifier
from maieutic.nli.local import TransformersVerifier
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.prompts import load_prompts

CliRun = Callable[..., "CompletedProcess[str]"]

PAPER = load_prompts("paper")
ITEMS = [
    Item(str(place), text, gold=True)
    for place, text in enumerate(["Ice is cold.", "Can a penguin fly?", "Rain falls up.", "Is snow warm?"])
]
EVERY = [*((name, {}) for name in METHODS), ("maieutic", {"evidence": "likelihood", "depth": "1"})]


def reply(prompt: Prompt, index: int) -> str:
    rng = random.Random(repr((prompt.query, prompt.opening, index)))
    if prompt.opening == "Negation:":
        return f" no: {prompt.query[4:40].strip('?.')}."
    return f" reason {rng.randrange(30)} of it. Therefore, the statement is{rng.choice(PAPER.answers)}."


def probability(prompt: Prompt, option: str) -> float:
    true = random.Random(repr((prompt.query, prompt.opening))).choice([0.1, 0.5, 0.6, 0.9])
    return {"true": true, "false": 1 - true}.get(option.strip(), 0.0)


def judge(*pair: str) -> str:
    return random.Random(repr(pair)).choice(["entailment", "contradiction", "neutral"])


def never(*_: Any, **__: Any) -> NoReturn:
    raise AssertionError("a model was asked")


def models(store: ResponseStore | None, *, asleep: bool = False, own_verifier: bool = False) -> LoadedModels:
    """Scripted models behind the store; those that are asleep must not be asked."""
    plain = ScriptedLanguageModel(reply, probability, fingerprint="a model")
    verifier = ScriptedVerifier(judge, fingerprint="a verifier")
    if asleep:
        plain = ScriptedLanguageModel(never, never, fingerprint="a model")
        verifier.judge = never
    if store is None:
        return LoadedModels(plain, LanguageModelVerifier(plain, PAPER) if own_verifier else verifier, PAPER)
    lm = CachedLanguageModel(plain, store)
    own = LanguageModelVerifier(lm, PAPER)
    return LoadedModels(lm, own if own_verifier else CachedVerifier(verifier, store), PAPER)


def records(
    method: tuple[str, dict[str, str]], loaded: LoadedModels, store: ResponseStore | None
) -> list[Record]:
    batches = run_items(ITEMS, build_method(*method, seed=3), loaded, 3, cache=store)
    return [record for batch in batches for record in batch]


def timeless(found: Sequence[Record]) -> list[Record]:
    """Without what a cache may change."""
    return [replace(r, seconds=0.0, requests=0, cached=0, reasoning=_still(r)) for r in found]


def _still(record: Record) -> Any:
    answer = record.reasoning
    return answer and replace(answer, seconds=replace(answer.seconds, elicit=0.0, relate=0.0, solve=0.0))


@pytest.mark.parametrize("own_verifier", [False, True], ids=["verifier", "lm as verifier"])
@pytest.mark.parametrize("method", EVERY, ids=lambda method: "-".join([method[0], *method[1].values()]))
def test_a_warm_second_run_of_a_method_asks_no_model_and_says_the_same(
    method: tuple[str, dict[str, str]], own_verifier: bool, tmp_path: Path
) -> None:
    plain = records(method, models(None, own_verifier=own_verifier), None)
    for number, asleep in enumerate((False, True)):
        store = ResponseStore(tmp_path / "responses.sqlite3")
        loaded = models(store, asleep=asleep, own_verifier=own_verifier)
        found = records(method, loaded, store)
        store.close()
        assert timeless(found) == timeless(plain)
        total = Tally(sum(r.requests for r in found), sum(r.cached for r in found))
        assert total == store.tally
        assert total.requests > 0
        assert (total.cached == total.requests) == bool(number)
    assert measure(found).cached == total.cached
    assert all(record.requests == record.cached == 0 for record in plain)


def test_a_batch_that_fails_is_asked_again_one_by_one_and_its_answers_are_used(tmp_path: Path) -> None:
    def broken(prompt: Prompt, option: str) -> float:
        if "penguin" in prompt.query:
            raise MaieuticError("no penguins")
        return probability(prompt, option)

    store = ResponseStore(tmp_path / "responses.sqlite3")
    loaded = models(store)
    assert isinstance(loaded.lm, CachedLanguageModel)
    assert isinstance(loaded.lm.inner, ScriptedLanguageModel)
    loaded.lm.inner.probability = broken
    found = records(("chain-of-thought", {}), loaded, store)
    assert [record.problem for record in found] == [None, "no penguins", None, None]
    assert sum(record.cached for record in found) == 3  # the first batch's texts, drawn before it failed


# -- from the command line -----------------------------------------------------------------------------

RUN = ("bench", "run", "agora", "--split", "dev", "--limit", "4", "--method", "maieutic", "--set", "depth=1")


def test_the_second_run_is_from_the_cache_and_every_table_says_so(
    run: CliRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    cold = run(*RUN, "--out", first)
    assert (cold.returncode, cold.stderr) == (0, "")
    monkeypatch.setattr(TransformersLM, "sample", never)
    monkeypatch.setattr(TransformersLM, "choose", never)
    monkeypatch.setattr(TransformersVerifier, "predict", never)
    warm = run(*RUN, "--out", second)
    assert (warm.returncode, warm.stderr) == (0, "")
    requests = sum(record.requests for record in read_run(second).records)
    assert f"{requests:,} of {requests:,} requests" in warm.stdout
    assert timeless(read_run(second).records) == timeless(read_run(first).records)
    compared = run("bench", "compare", first, second).stdout
    share = "100.0 % of the requests of maieutic (depth 1), second"
    assert share in compared
    table = accuracy_table(compare([read_run(first), read_run(second)]))
    assert share in dict(table.notes)["seconds"]


def test_without_the_cache_nothing_is_kept_or_said(run: CliRun, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    arguments = [*RUN[:-4], "--method", "direct", "--no-cache"]
    assert "response cache" not in run(*arguments, "--out", plain).stdout
    assert run("cache", "info").stdout.splitlines()[0].endswith("0 entries, 0 bytes of at most 1.1 GB")
    assert (
        run("bench", "run", "--config", plain / "run.toml", "--out", tmp_path / "b", "--no-cache").returncode
        == 0
    )
    assert not json.loads(run("cache", "info", "--json").stdout)["models"]


def test_a_dry_run_asks_no_cache_since_its_minutes_are_those_of_a_fresh_run(
    run: CliRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ResponseStore, "get", never)
    done = run("bench", "run", "agora", "--split", "dev", "--method", "direct", "--dry-run")
    assert "minutes for 312 questions" in done.stdout
