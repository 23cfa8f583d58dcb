"""The library and the command give the same answers with the bundled models."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from subprocess import CompletedProcess

import pytest

from maieutic import Answer, Argue, Joint, Maieutic, Vote, load_lm, load_verifier
from maieutic.answer import Seconds
from maieutic.bundled import bundled_weights
from maieutic.inference import INFERENCES, build_inference
from maieutic.inference.weights import DEFAULT_WEIGHTS, read_weights

Run = Callable[..., "CompletedProcess[str]"]

QUESTIONS = ["Can a penguin fly?", "Does an iguana have scales?", "A church burns in a fire."]


def timeless(answers: Iterable[Answer]) -> list[Answer]:
    return [replace(answer, seconds=Seconds()) for answer in answers]


def printed(run: Run, *arguments: str) -> list[Answer]:
    """The answers that ``maieutic ask --json`` prints."""
    done = run("ask", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return timeless(Answer.from_json(line) for line in done.stdout.splitlines())


@pytest.fixture(scope="module")
def bundled() -> Maieutic:
    return Maieutic.load()


@pytest.fixture(scope="module")
def answers(bundled: Maieutic) -> list[Answer]:
    return timeless(bundled.ask_many(QUESTIONS))


def test_the_command_gives_the_answers_of_the_library(run: Run, answers: list[Answer]) -> None:
    assert printed(run, *QUESTIONS) == answers
    assert [answer.question for answer in answers] == QUESTIONS


def test_models_loaded_one_by_one_give_the_answers_of_models_loaded_together(answers: list[Answer]) -> None:
    maieutic = Maieutic(load_lm("agora"), load_verifier("agora"))
    assert timeless(maieutic.ask_many(QUESTIONS)) == answers


def test_the_command_and_the_library_agree_in_every_inference(run: Run, bundled: Maieutic) -> None:
    for name in INFERENCES:
        maieutic = Maieutic(bundled.lm, bundled.verifier, inference=build_inference(name, {}))
        expected = timeless(maieutic.conclude(maieutic.grow(QUESTIONS[1:2])))
        assert printed(run, QUESTIONS[1], "--inference", name) == expected
        assert [answer.verdict.inference for answer in expected] == [name]


def test_the_bundled_models_bring_weights_of_their_own_unless_others_are_given(bundled: Maieutic) -> None:
    learned = read_weights(bundled_weights())
    for inference, expected in (
        (None, Joint(learned)),
        (Joint(merge=True), Joint(learned, merge=True)),
        (Joint(DEFAULT_WEIGHTS), Joint(DEFAULT_WEIGHTS)),
        (Vote(), Vote()),
        (Argue(), Argue()),
    ):
        assert Maieutic(bundled.lm, bundled.verifier, inference=inference).inference == expected
    assert bundled.inference == Joint(learned)
