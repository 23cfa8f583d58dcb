"""Models, verifiers and solvers of a user's own: what they return is checked where it enters."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from maieutic import Answer, Joint, Maieutic, Step, Unanswered, Vote
from maieutic.answer import Seconds
from maieutic.config import REFERENCE
from maieutic.errors import ContextLengthError, InputError, MaieuticError, ServerError
from maieutic.inference import Inference
from maieutic.lm.base import Completion, OptionScores, Prompt, SamplingParams
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.solvers import Solution, WeightedCNF, load_solver

QUESTION = "Ice is cold."
ONE_WAVE = replace(REFERENCE, depth=1, widths=(1,))


def reply(prompt: Prompt, _index: int) -> str:
    subject = prompt.query.partition(": ")[2].rstrip(".?")
    return {
        "Negation:": f" It is not the case that {subject}.",
        "A:": " So it is. Therefore, the statement is",
    }.get(prompt.opening, f" frost proves that {subject}.")


def wavering(_prompt: Prompt, option: str) -> float:
    return 0.5 if option in (" true", " false") else 0.3


def unrelated(_premise: str, _hypothesis: str) -> str:
    return "neutral"


def good_model() -> ScriptedLanguageModel:
    return ScriptedLanguageModel(reply, wavering)


@dataclass(slots=True)
class OwnModel:
    """A user's model: a good one whose results are spoilt."""

    sampled: Callable[[Any], Any] = lambda result: result
    chosen: Callable[[Any], Any] = lambda result: result
    name: str = "own"
    prompts: str = "paper"
    inner: ScriptedLanguageModel = field(default_factory=good_model)

    def sample(self, prompts: Sequence[Prompt], n: int, params: SamplingParams) -> Any:
        return self.sampled(self.inner.sample(prompts, n, params))

    def choose(self, prompts: Sequence[Prompt], options: Sequence[str]) -> Any:
        return self.chosen(self.inner.choose(prompts, options))


@dataclass(slots=True)
class OwnVerifier:
    table: Callable[[int], Any]
    name: str = "own"

    def predict(self, pairs: Sequence[tuple[str, str]]) -> Any:
        return self.table(len(pairs))


@dataclass(frozen=True, slots=True)
class OwnSolver:
    spoilt: Callable[[Solution], Any]
    name: str = "own"

    def solve(self, problem: WeightedCNF) -> Any:
        return self.spoilt(load_solver("rc2").solve(problem))


def with_model(model: Any) -> Maieutic:
    return Maieutic(model, ScriptedVerifier(unrelated), elicit=ONE_WAVE)


def scored(**changes: Any) -> Callable[[OptionScores], OptionScores]:
    return lambda scores: replace(scores, **changes)


def first_replaced(by: Any) -> Callable[[Any], Any]:
    return lambda rows: [[by, *rows[0][1:]], *rows[1:]]


# -- what a model returns ------------------------------------------------------------------------------

BAD_SAMPLES = {
    "None": lambda _: None,
    "a row too few": lambda rows: rows[:-1],
    "a generator": lambda rows: (row for row in rows),
    "a text": lambda _: "x",
    "texts instead of completions": lambda rows: [[c.text for c in row] for row in rows],
    "a completion too many": lambda rows: [[*row, row[0]] for row in rows],
    "a text instead of a row": lambda rows: [row[0].text for row in rows],
    "bytes": first_replaced(Completion(b"It is.", 1, 1)),  # type: ignore[arg-type]
    "a count below 0": first_replaced(Completion("It is.", -1, 1)),
    "a count that is no integer": first_replaced(Completion("It is.", 1, 1.5)),  # type: ignore[arg-type]
}
BAD_SCORES = {
    "None": lambda _: None,
    "an array": lambda scores: scores.probabilities,
    "texts": scored(probabilities=[["a", "b"]]),
    "a ragged table": scored(probabilities=[[0.5], [0.2, 0.3]]),
    "one dimension": lambda scores: replace(scores, probabilities=scores.probabilities[0]),
    "a row too many": lambda scores: replace(
        scores, probabilities=np.concatenate([scores.probabilities, scores.probabilities[:1]])
    ),
    "log-probabilities": lambda scores: replace(scores, probabilities=np.log(scores.probabilities)),
    "percentages": lambda scores: replace(scores, probabilities=scores.probabilities * 100),
    "NaN": lambda scores: replace(scores, probabilities=scores.probabilities * np.nan),
    "more than 1 in all": lambda scores: replace(scores, probabilities=scores.probabilities + 0.2),
    "no token counts": scored(prompt_tokens=()),
    "token counts below 0": lambda scores: replace(scores, prompt_tokens=(-1,) * len(scores.prompt_tokens)),
}


@pytest.mark.parametrize("spoil", BAD_SAMPLES.values(), ids=BAD_SAMPLES)
def test_bad_texts_of_an_own_model_are_its_error(spoil: Callable[[Any], Any]) -> None:
    with pytest.raises(MaieuticError) as error:
        with_model(OwnModel(sampled=spoil)).ask(QUESTION)
    assert error.value.subject == "OwnModel.sample"
    assert "OwnModel.sample" in str(error.value)


@pytest.mark.parametrize("spoil", BAD_SCORES.values(), ids=BAD_SCORES)
def test_bad_scores_of_an_own_model_are_its_error(spoil: Callable[[Any], Any]) -> None:
    with pytest.raises(MaieuticError) as error:
        with_model(OwnModel(chosen=spoil)).ask(QUESTION)
    assert error.value.subject == "OwnModel.choose"


def test_lists_and_other_number_formats_are_as_good_as_arrays() -> None:
    def as_list(scores: OptionScores) -> OptionScores:
        return replace(scores, probabilities=scores.probabilities.tolist())

    def as_half(scores: OptionScores) -> OptionScores:
        return replace(scores, probabilities=scores.probabilities.astype(np.float32))

    expected = with_model(good_model()).ask(QUESTION)
    for spoil in (as_list, as_half):
        answer = with_model(OwnModel(chosen=spoil)).ask(QUESTION)
        assert (answer.tree, answer.verdict) == (expected.tree, expected.verdict)


# -- what a verifier and a solver return ---------------------------------------------------------------

BAD_TABLES = {
    "None": lambda _: None,
    "texts": lambda n: [["neutral"] * 3] * n,
    "labels": np.ones,
    "a row too few": lambda n: np.full((n - 1, 3), 1 / 3),
    "two columns": lambda n: np.full((n, 2), 0.5),
    "logits": lambda n: np.tile([2.0, -1.0, 0.3], (n, 1)),
    "rows that do not sum to 1": lambda n: np.full((n, 3), 0.2),
    "NaN": lambda n: np.full((n, 3), np.nan),
}
BAD_SOLUTIONS = {
    "None": lambda _: None,
    "labels alone": lambda solution: solution.labels,
    "a label too few": lambda solution: replace(solution, labels=solution.labels[:-1]),
    "numbers of literals": lambda solution: replace(
        solution, labels=tuple(range(2, len(solution.labels) + 2))
    ),
    "flipped labels": lambda solution: replace(solution, labels=tuple(not x for x in solution.labels)),
    "a cost that is not finite": lambda solution: replace(solution, cost=float("nan")),
    "a bound above the cost": lambda solution: replace(solution, lower_bound=solution.cost + 1),
}


@pytest.mark.parametrize("table", BAD_TABLES.values(), ids=BAD_TABLES)
@pytest.mark.parametrize("inference", [Joint(), Vote()], ids=["joint", "vote"])
def test_bad_rows_of_an_own_verifier_are_its_error(inference: Inference, table: Callable[[int], Any]) -> None:
    sure = ScriptedLanguageModel(reply, _sure_of_frost)
    with pytest.raises(MaieuticError) as error:
        Maieutic(sure, OwnVerifier(table), elicit=ONE_WAVE, inference=inference).ask(QUESTION)
    assert error.value.subject == "OwnVerifier.predict"


def _sure_of_frost(prompt: Prompt, option: str) -> float:
    """Wavers on Q, believes the explanations, disbelieves their negations: the vote needs integral ones."""
    if "frost" not in prompt.query.casefold():
        return wavering(prompt, option)
    believed = "not the case" not in prompt.query
    return 0.9 if (option == " true") == believed else 0.1


def test_an_own_verifier_may_have_a_method_score_of_its_own() -> None:
    class Scoring(OwnVerifier):
        def score(self, text: str) -> float:
            raise AssertionError(text)

    sure = ScriptedLanguageModel(reply, _sure_of_frost)
    verifier = Scoring(lambda n: np.full((n, 3), 1 / 3))
    assert Maieutic(sure, verifier, elicit=ONE_WAVE).ask(QUESTION).usage.pairs > 0


@pytest.mark.parametrize("spoil", BAD_SOLUTIONS.values(), ids=BAD_SOLUTIONS)
def test_bad_solutions_of_an_own_solver_are_its_error(spoil: Callable[[Solution], Any]) -> None:
    inference = Joint(solver=OwnSolver(spoil))
    with pytest.raises(MaieuticError) as error:
        Maieutic(good_model(), ScriptedVerifier(unrelated), elicit=ONE_WAVE, inference=inference).ask(
            QUESTION
        )
    assert error.value.subject == "OwnSolver.solve"


@pytest.mark.parametrize("lm", ["gpt2", None, object(), ScriptedVerifier(unrelated)])
def test_what_is_no_model_is_refused_at_once(lm: Any) -> None:
    with pytest.raises(InputError) as error:
        Maieutic(lm, ScriptedVerifier(unrelated))
    assert error.value.subject == "lm"


@pytest.mark.parametrize("verifier", ["minilm", None, good_model()])
def test_what_is_no_verifier_is_refused_at_once(verifier: Any) -> None:
    with pytest.raises(InputError) as error:
        Maieutic(good_model(), verifier)
    assert error.value.subject == "verifier"


@pytest.mark.parametrize("inference", [Joint, Vote])
def test_what_is_no_solver_is_refused_at_once(inference: Any) -> None:
    with pytest.raises(InputError) as error:
        inference(solver="rc2")
    assert error.value.subject == "solver"


# -- many questions ------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [QUESTION, QUESTION.encode()])
def test_one_text_is_no_list_of_questions(text: Any) -> None:
    with pytest.raises(InputError) as error:
        with_model(good_model()).ask_many(text)
    assert error.value.subject == "questions"


def test_bad_items_become_errors_in_their_places() -> None:
    items: list[Any] = [QUESTION, "", "Fire is hot.", None, 3.5, "\ud800", "Snow is white."]
    results = list(with_model(good_model()).ask_many(items, batch_size=3, on_error="yield"))
    kinds = [type(result) for result in results]
    assert kinds == [Answer, Unanswered, Answer, Unanswered, Unanswered, Unanswered, Answer]
    assert [result.question for result in results] == items
    assert all(isinstance(result.error, InputError) for result in results if isinstance(result, Unanswered))


def test_a_question_that_does_not_fit_the_window_costs_its_neighbours_nothing() -> None:
    @dataclass(slots=True)
    class Narrow(OwnModel):
        def choose(self, prompts: Sequence[Prompt], options: Sequence[str]) -> Any:
            if any("Fire" in prompt.query for prompt in prompts):
                raise ContextLengthError("too long")
            return self.inner.choose(prompts, options)

    texts = [QUESTION, "Fire is hot.", "Snow is white."]
    results = list(with_model(Narrow()).ask_many(texts, on_error="yield"))
    assert [type(result) for result in results] == [Answer, Unanswered, Answer]
    alone = with_model(good_model()).ask("Snow is white.")
    assert isinstance(results[2], Answer)
    assert (results[2].tree, results[2].verdict) == (alone.tree, alone.verdict)


def test_by_default_a_bad_item_is_raised_after_the_answers_before_it() -> None:
    answers = with_model(good_model()).ask_many([QUESTION, "Fire is hot.", ""], batch_size=2)
    assert [answer.question for answer in _until_error(answers)] == [QUESTION, "Fire is hot."]


def _until_error(answers: Iterator[Answer]) -> Iterator[Answer]:
    with pytest.raises(InputError):
        while True:
            yield next(answers)


@pytest.mark.parametrize("error", [ServerError("gone"), MaieuticError("broken"), ZeroDivisionError()])
def test_failures_of_the_model_are_raised_whatever_is_done_with_bad_items(error: Exception) -> None:
    def fail(_: Any) -> Any:
        raise error

    with pytest.raises(type(error)):
        list(with_model(OwnModel(sampled=fail)).ask_many([QUESTION], on_error="yield"))


def test_an_unknown_way_to_treat_errors_is_refused() -> None:
    with pytest.raises(InputError) as error:
        with_model(good_model()).ask_many([QUESTION], on_error="ignore")  # type: ignore[call-overload]
    assert error.value.subject == "on_error"


# -- steps, logs, pickles ------------------------------------------------------------------------------


def test_every_step_is_reported_when_it_ends() -> None:
    steps: list[Step] = []
    lm, verifier = ScriptedLanguageModel(reply, _sure_of_frost), ScriptedVerifier(unrelated)
    maieutic = Maieutic(lm, verifier, elicit=ONE_WAVE, progress=steps.append)
    answers = list(maieutic.ask_many([QUESTION, "Is fire hot?"]))
    assert [(step.name, step.depth) for step in steps] == [
        ("statement", 0),
        ("negation", 0),
        ("belief", 0),
        ("explanation", 1),
        ("negation", 1),
        ("belief", 1),
        ("relation", None),
        ("solution", None),
        ("solution", None),
    ]
    by_name = {step.name: step for step in steps}
    assert by_name["statement"].questions == 1
    assert by_name["relation"].items == sum(answer.usage.pairs for answer in answers)
    assert all(step.seconds >= 0 for step in steps)


def test_an_error_of_the_receiver_ends_the_call() -> None:
    def stop(step: Step) -> None:
        raise KeyboardInterrupt(step.name)

    maieutic = Maieutic(good_model(), ScriptedVerifier(unrelated), progress=stop)
    with pytest.raises(KeyboardInterrupt):
        maieutic.ask(QUESTION)


def test_steps_and_calls_are_logged_without_the_texts(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="maieutic"):
        with_model(good_model()).ask(QUESTION)
    assert {record.name for record in caplog.records} >= {"maieutic.progress", "maieutic.lm.calls"}
    assert all(record.levelno <= logging.DEBUG for record in caplog.records)
    assert not any("ice" in record.getMessage().casefold() for record in caplog.records)


@pytest.mark.parametrize("inference", [Joint(), Vote()], ids=["joint", "vote"])
def test_it_can_be_pickled_where_its_parts_can(inference: Inference) -> None:
    maieutic = Maieutic(good_model(), ScriptedVerifier(unrelated), elicit=ONE_WAVE, inference=inference)
    copy = pickle.loads(pickle.dumps(maieutic))
    answers = [replace(each.ask(QUESTION), seconds=Seconds()) for each in (maieutic, copy)]
    assert answers[0] == answers[1]
