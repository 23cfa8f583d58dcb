"""The cost model: what a question costs by budget, confidence and the share of unsure questions.

A question pays for its direct answer (the root). A share ``unsure`` of the questions takes a first step, a
share ``going_on`` of those a second one, and so on, up to the steps that the budget allows:

    cost = root + unsure · (first + going_on · later + going_on² · later + …)

for calls, prompt tokens, generated tokens and verifier pairs alike. ``unsure`` and ``going_on`` depend on the
confidence at which growth stops, the number of steps on the budget. All of them are read from the records of
a run in which questions grew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from itertools import pairwise
from statistics import fmean, linear_regression
from time import process_time

from maieutic.answer import Answer
from maieutic.benchmarks.methods import build_method
from maieutic.benchmarks.methods.maieutic import MaieuticMethod
from maieutic.benchmarks.runs.folder import Run
from maieutic.benchmarks.runs.records import Record
from maieutic.elicit.anytime import CHAIN, TOKENS_OF_A_TEXT
from maieutic.errors import InputError
from maieutic.tree import GrowthStep

__all__ = [
    "Constants",
    "Cost",
    "Shares",
    "constants_of",
    "cost_per_question",
    "measured_cost",
    "shares_of",
    "solved_again",
]


@dataclass(frozen=True, slots=True)
class Cost:
    """Means per question, or of a step.

    Attributes:
        solver_seconds: of one processor core.
    """

    calls: float
    prompt_tokens: float
    generated_tokens: float
    pairs: float
    solver_seconds: float

    def plus(self, other: Cost, times: float) -> Cost:
        """This cost and another one that is paid ``times`` times."""
        return Cost(*(a + times * b for a, b in zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True, slots=True)
class Constants:
    """What the parts of an answer cost with one model and prompt set.

    Attributes:
        root: the direct answer.
        first: the first step after it: by default a chain of thought.
        later: each further step: an explanation of each side, with its beliefs and relations.
    """

    root: Cost
    first: Cost
    later: Cost


@dataclass(frozen=True, slots=True)
class Shares:
    """How many questions grow.

    Attributes:
        unsure: share of the questions that take a step, in [0, 1].
        going_on: share of the questions after a step that take another one, in [0, 1].
        steps: most steps of a question after the root.
    """

    unsure: float
    going_on: float
    steps: int


def _answers(records: Sequence[Record]) -> list[Answer]:
    answers = [r.reasoning for r in records if r.reasoning is not None and r.reasoning.steps]
    if not answers:
        problem = "no record has steps of growth; give a run of the method maieutic with anytime growth"
        raise InputError(problem, subject="records")
    return answers


def constants_of(records: Sequence[Record]) -> Constants:
    """The constants, from the records of one run.

    Steps record their calls and tokens. Prompt tokens are shared by calls. Pairs and the solver's time of a
    later step are the slope of a line through the questions by their number of later steps.

    Raises:
        InputError: no record has steps, or no question took two steps after the root.
    """
    answers = _answers(records)
    first = [answer.steps[1] for answer in answers if len(answer.steps) > 1]
    later = [step for answer in answers for step in answer.steps[2:]]
    if not later:
        problem = "no question of the run took two steps after its direct answer"
        raise InputError(f"{problem}; give a run with --set confidence=1", subject="records")
    prompt = sum(a.usage.prompt_tokens for a in answers) / max(1, sum(a.usage.calls for a in answers))
    further = [max(0, len(answer.steps) - 2) for answer in answers]
    solved, more = _line(further, [answer.seconds.solve for answer in answers])
    pairs, more_pairs = _line(further, [float(answer.usage.pairs) for answer in answers])
    root = [answer.steps[0] for answer in answers]
    return Constants(
        root=_part(root, prompt, 0.0, solved),
        first=_part(first, prompt, pairs, 0.0),
        later=_part(later, prompt, more_pairs, more),
    )


def _line(further: Sequence[int], costs: Sequence[float]) -> tuple[float, float]:
    """Cost of no further step and of each one, both ≥ 0, by least squares; some answer has further steps."""
    if len(set(further)) > 1:
        slope, start = linear_regression(further, costs)
        if slope >= 0 and start >= 0:
            return start, slope
    return 0.0, linear_regression(further, costs, proportional=True).slope


def _part(steps: Sequence[GrowthStep], prompt: float, pairs: float, solver: float) -> Cost:
    """The mean cost of steps; ``prompt`` tokens a call."""
    calls = fmean(step.calls for step in steps)
    return Cost(calls, calls * prompt, fmean(step.tokens for step in steps), pairs, solver)


def shares_of(records: Sequence[Record], confidence: float, budget: int | None = None) -> Shares:
    """How many questions grow at a confidence that is not above the run's own.

    Args:
        budget: generated tokens of a question, not above the run's own; None for that.

    Raises:
        InputError: no record has steps.
    """
    answers = _answers(records)
    taken = [_steps_taken(answer, confidence, budget) for answer in answers]
    grown = [steps for steps in taken if steps]
    most = max(taken, default=0)
    further = sum(steps - 1 for steps in grown)
    chances = sum(min(steps, most - 1) for steps in grown)  # to take a step more
    return Shares(
        unsure=len(grown) / len(answers),
        going_on=further / chances if chances else 0.0,
        steps=most,
    )


def _steps_taken(answer: Answer, confidence: float, budget: int | None) -> int:
    """The steps after the root that the question takes before it is sure or the next step exceeds the budget.

    A question that stops at a lower budget because nothing that it can still draw would turn the answer
    counts as going on.
    """
    spent = 0
    for place, (step, after) in enumerate(pairwise(answer.steps)):
        spent += step.tokens
        needed = TOKENS_OF_A_TEXT * (1 if after.what == CHAIN else 2)
        if step.confidence >= confidence or (budget is not None and budget - spent < needed):
            return place
    return len(answer.steps) - 1


def solved_again(run: Run) -> Run:
    """The run with the solver's seconds measured anew, in seconds of a processor.

    Those in the records are wall-clock time, which other programs on the machine multiply.

    Raises:
        InputError: the run is not one of the method maieutic.
    """
    method = build_method(run.config.method, run.config.settings, run.config.seed)
    if not isinstance(method, MaieuticMethod):
        problem = f"{run.folder} is a run of {run.config.method}; give one of the method maieutic"
        raise InputError(problem, subject="method")
    inference = method.configured_inference

    def seconds(answer: Answer) -> float:
        start = process_time()
        inference.infer(answer.tree, answer.graph)
        return process_time() - start

    def again(record: Record) -> Record:
        answer = record.reasoning
        if answer is None:
            return record
        solve = min(seconds(answer), seconds(answer))  # what is loaded on first use is not the solver's
        return replace(record, reasoning=replace(answer, seconds=replace(answer.seconds, solve=solve)))

    return replace(run, records=tuple(map(again, run.records)))


def cost_per_question(constants: Constants, shares: Shares) -> Cost:
    """The model's cost of one question."""
    later = sum(shares.unsure * shares.going_on**place for place in range(1, shares.steps))
    cost = constants.root.plus(constants.first, shares.unsure if shares.steps else 0.0)
    return cost.plus(constants.later, later)


def measured_cost(records: Sequence[Record]) -> Cost:
    """The mean cost of the questions of a run.

    Raises:
        InputError: no record has steps.
    """
    answers = _answers(records)
    return Cost(
        fmean(answer.usage.calls for answer in answers),
        fmean(answer.usage.prompt_tokens for answer in answers),
        fmean(answer.usage.generated_tokens for answer in answers),
        fmean(answer.usage.pairs for answer in answers),
        fmean(answer.seconds.solve for answer in answers),
    )
