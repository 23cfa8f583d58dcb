"""Two threads with two objects each: what one does leaves the answers of the other as they are."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from dataclasses import fields
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from maieutic import Answer, Maieutic, load_lm, load_verifier
from maieutic.cache.language_model import CachedLanguageModel
from maieutic.cache.store import ResponseStore
from maieutic.cache.verifier import CachedVerifier

QUESTIONS = (
    ("Can a penguin fly?", "Is a whale a fish?", "Is ice cold?"),
    ("Can a robin fly?", "Is a shark a mammal?", "Is a penguin a bird?"),
)


def content(answer: Answer) -> dict[str, Any]:
    """Everything of an answer but the time it took."""
    return {field.name: getattr(answer, field.name) for field in fields(answer) if field.name != "seconds"}


def bundled(store: ResponseStore | None) -> Maieutic:
    """The bundled models, loaded anew."""
    lm, verifier = load_lm("agora"), load_verifier("agora")
    if store is None:
        return Maieutic(lm, verifier)
    return Maieutic(CachedLanguageModel(lm, store), CachedVerifier(verifier, store))


def answers(maieutic: Maieutic, questions: Sequence[str]) -> list[dict[str, Any]]:
    return [content(maieutic.ask(question)) for question in questions]


@pytest.fixture(scope="module")
def expected() -> list[list[dict[str, Any]]]:
    """One question after the other, in one thread."""
    return [answers(bundled(None), questions) for questions in QUESTIONS]


@pytest.mark.parametrize("cached", [False, True])
def test_two_threads_answer_as_one_does(
    cached: bool, expected: list[list[dict[str, Any]]], tmp_path: Path
) -> None:
    start = Barrier(len(QUESTIONS), timeout=300)

    def work(number: int) -> list[dict[str, Any]]:
        with closing(ResponseStore(tmp_path / f"{number}")) if cached else nullcontext() as store:
            maieutic = bundled(store)
            start.wait()
            return answers(maieutic, QUESTIONS[number])

    with ThreadPoolExecutor(len(QUESTIONS)) as threads:
        assert list(threads.map(work, range(len(QUESTIONS)))) == expected
