"""Questions per minute, beside the way of the published reference: one call per request."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from maieutic.answer import Answer
from maieutic.benchmarks.throughput.backends import Call, ReferenceLM, ReferenceVerifier, Working
from maieutic.benchmarks.throughput.clock import Side
from maieutic.benchmarks.throughput.rows import Row
from maieutic.benchmarks.throughput.workbench import REFERENCE_QUESTIONS, Workbench
from maieutic.elicit import elicit
from maieutic.infer import DEFAULT_SOLVER
from maieutic.lm.base import LanguageModel
from maieutic.nli.base import Verifier
from maieutic.pipeline import conclude
from maieutic.solvers import SOLVERS

__all__ = ["Together", "question_rows", "seconds_by_kind"]


class Together:
    """Our way: all questions advance together, and their trees are related in one call.

    Attributes:
        calls: what the last run asked of the language model.
        answers: of the last run.
    """

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._lm: LanguageModel | None = None
        self.calls: list[Call] = []
        self.answers: list[Answer] = []

    @contextmanager
    def around(self) -> Iterator[None]:
        """A backend that has read no examples yet: reading them is part of the work."""
        with self._bench.subject.endless():
            self._lm = self._bench.subject.fresh()
            yield

    def work(self) -> float:
        """Answer all questions; returns their number."""
        assert self._lm is not None
        bench = self._bench
        working = Working(self._lm, bench.script, bench.subject.prompts.answers)
        self.answers = _answered(bench, bench.script.questions, working, bench.verifier)
        self.calls = working.calls
        return len(self.answers)

    def side(self) -> Side:
        """To be timed, after a run with few questions that loads what is loaded late."""
        few = Together(replace(self._bench, questions=REFERENCE_QUESTIONS))
        with few.around():
            few.work()
        return Side("maieutic", self.work, self.around, {"questions": self._bench.questions})


class OneByOne:
    """The published reference's way, for a few questions."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._lm = ReferenceLM(bench.subject)
        self._verifier = ReferenceVerifier(bench.verifier_checkpoint)
        self.calls: list[Call] = []
        self.answers: list[Answer] = []

    @contextmanager
    def around(self) -> Iterator[None]:
        with ExitStack() as stack:
            stack.enter_context(self._bench.subject.endless())
            stack.enter_context(self._bench.subject.plain())
            yield

    def work(self) -> float:
        bench = self._bench
        working = Working(self._lm, bench.script, bench.subject.prompts.answers)
        self.answers = [
            answer
            for question in bench.script.questions[:REFERENCE_QUESTIONS]
            for answer in _answered(bench, [question], working, self._verifier)
        ]
        self.calls = working.calls
        return len(self.answers)


def question_rows(bench: Workbench) -> list[Row]:
    """One row.

    Both sides must grow the same trees; the reference answers the first questions only, whose trees have
    the sizes of all others.
    """
    ours, reference = Together(bench), OneByOne(bench)
    sides = [
        ours.side(),
        Side("one call per request", reference.work, reference.around, {"questions": REFERENCE_QUESTIONS}),
    ]
    per_second = bench.clock.interleaved(*sides)
    sides_asked: tuple[Together | OneByOne, ...] = (ours, reference)
    grown = [[answer.tree for answer in side.answers[:REFERENCE_QUESTIONS]] for side in (ours, reference)]
    assert grown[0] == grown[1]
    mine, theirs = (
        series.times(60, seconds_by_kind=seconds_by_kind(side.calls), calls=len(side.calls))
        for series, side in zip(per_second, sides_asked, strict=True)
    )
    nodes = sum(len(tree.nodes) + len(tree.pruned) for tree in bench.trees) / len(bench.trees)
    verdicts = theirs.details["seconds_by_kind"].get("verdict", 0.0) / theirs.seconds[-1]
    compared = (
        f"ours {bench.questions} questions together; the other {REFERENCE_QUESTIONS} of them, scaled per "
        f"question: one unbatched generate per request, one verifier call per tree, no reuse; equal trees "
        f"({nodes:.3g} propositions a question), {bench.new_tokens} tokens per text on both sides; "
        f"{verdicts:.0%} of its time are verdicts, which it could read off the explanations"
    )
    return [Row("questions", "questions answered", "per minute", mine, theirs, compared)]


def seconds_by_kind(calls: list[Call]) -> dict[str, float]:
    """What the requests of each kind took, in the order in which they first came."""
    spent: defaultdict[str, float] = defaultdict(float)
    for call in calls:
        spent[call.kind] += call.seconds
    return dict(spent)


def _answered(
    bench: Workbench, questions: Sequence[str], lm: LanguageModel, verifier: Verifier
) -> list[Answer]:
    trees = elicit(questions, lm, bench.subject.prompts, bench.config)
    return conclude(trees, verifier, SOLVERS[DEFAULT_SOLVER["joint"]](), "joint")
