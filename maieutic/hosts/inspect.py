"""Inspect AI: a solver that judges each sample's input with maieutic, and a scorer for its answers.

The solver does not ask the model of the evaluation; run it with ``model="mockllm/model"``. One question is
judged at a time. A sample whose input cannot be judged is *unscored*, with the reason.
"""

from __future__ import annotations

from dataclasses import asdict
from functools import partial

from maieutic.answer import Answer
from maieutic.bundled import AGORA
from maieutic.errors import InputError
from maieutic.hosts import needs, truth_of
from maieutic.hosts.shared import Shared
from maieutic.hosts.summary import summary_of
from maieutic.pipeline import Maieutic

try:
    from anyio.to_thread import run_sync
    from inspect_ai.model import ModelOutput
    from inspect_ai.scorer import CORRECT, INCORRECT, Score, Scorer, Target, accuracy, scorer, stderr
    from inspect_ai.solver import Generate, Solver, TaskState, solver
except ImportError:
    raise needs("inspect", "an Inspect AI solver") from None

__all__ = ["judge", "judged"]

KEY = "maieutic"  # of a sample's metadata: the summary of its answer


@solver
def judge(lm: str = AGORA, nli: str = AGORA, maieutic: Maieutic | None = None) -> Solver:
    """A solver that answers "true" or "false" to the input, a statement or a yes/no question.

    ``metadata["maieutic"]`` of a sample gets the fields of :class:`maieutic.hosts.summary.Summary`: P(true),
    the reasons and the objections among them; or "problem", if the input could not be judged.

    Args:
        lm, nli: names of models, as for :meth:`maieutic.Maieutic.load`.
        maieutic: with models and settings of your own, instead of the names.
    """
    shared = Shared(maieutic or Maieutic.load(lm, nli))

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        try:
            answer = await run_sync(partial(_answer, shared, state.input_text))
        except InputError as error:
            state.metadata[KEY] = {"problem": str(error)}
            return state
        state.metadata[KEY] = asdict(summary_of(answer))
        state.output = ModelOutput.from_content(str(answer.models.lm), str(answer.answer).lower())
        state.messages.append(state.output.message)
        return state

    return solve


@scorer(metrics=[accuracy(), stderr()])
def judged() -> Scorer:
    """A scorer of :func:`judge`: correct where the answer is the target (true, false, yes or no)."""

    async def score(state: TaskState, target: Target) -> Score:
        summary = state.metadata.get(KEY) or {"problem": "the sample was not judged; use the solver judge"}
        if "problem" in summary:
            return Score.unscored(reason="scoring_failed", explanation=summary["problem"])
        truth = truth_of(target.text)
        if truth is None:
            problem = f"the target must be true, false, yes or no, not {target.text!r}"
            return Score.unscored(reason="scoring_failed", explanation=problem)
        return Score(
            value=CORRECT if summary["answer"] == truth else INCORRECT,
            answer=state.output.completion,
            explanation="\n".join(summary["reasons"]),
            metadata={"p_true": summary["p_true"]},
        )

    return score


def _answer(shared: Shared, question: str) -> Answer:
    with shared as maieutic:
        return maieutic.ask(question)
