"""The module in programs that DSPy itself runs; no model of DSPy is asked."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("dspy")

import dspy

from maieutic import Maieutic
from maieutic.errors import InputError
from maieutic.hosts.dspy import Judge

ROWS = [("A penguin can fly.", False), ("Is a pillow soft?", True)]


@pytest.fixture(scope="module")
def agora() -> Maieutic:
    return Maieutic.load()


def test_a_prediction_has_the_answer_its_probability_and_the_reasons(agora: Maieutic) -> None:
    prediction = Judge(agora)(question="Does an iguana have scales?")
    answer = agora.ask("Does an iguana have scales?")
    assert isinstance(prediction, dspy.Prediction)
    assert prediction.answer is answer.answer
    assert prediction.p_true == pytest.approx(answer.p_true, abs=0.01)
    assert prediction.reasons


def test_an_evaluation_with_threads_scores_it(agora: Maieutic) -> None:
    rows = [dspy.Example(question=text, answer=truth).with_inputs("question") for text, truth in ROWS]

    def right(example: Any, prediction: Any, trace: Any = None) -> bool:
        return bool(example.answer == prediction.answer)

    evaluate = dspy.Evaluate(devset=rows, metric=right, num_threads=2, display_progress=False)
    expected = [answer.answer for answer in agora.ask_many(text for text, _ in ROWS)]
    score = 100.0 * sum(a == truth for a, (_, truth) in zip(expected, ROWS, strict=True)) / len(ROWS)
    assert evaluate(Judge(agora)).score == score


def test_copies_of_a_program_share_the_models(agora: Maieutic) -> None:
    class Program(dspy.Module):
        def __init__(self) -> None:
            super().__init__()
            self.judge = Judge(agora)

        def forward(self, question: str) -> Any:
            return self.judge(question=question)

    program = Program()
    copy = program.reset_copy()
    assert copy.judge is not program.judge
    assert copy.judge.shared is program.judge.shared
    assert copy(question="Is a pillow soft?").answer == program(question="Is a pillow soft?").answer


def test_a_question_that_cannot_be_used_is_refused(agora: Maieutic) -> None:
    with pytest.raises(InputError):
        Judge(agora)(question=" ")
