"""The order of the four steps: elicit, relate, solve, answer. Nothing else knows it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from maieutic.answer import Answer, Models, Seconds
from maieutic.cache.language_model import CachedLanguageModel
from maieutic.cache.store import ResponseStore
from maieutic.cache.verifier import CachedVerifier
from maieutic.config import ElicitConfig, JointConfig
from maieutic.elicit import elicit
from maieutic.errors import InputError
from maieutic.inference.assumptions import Assumption
from maieutic.inference.base import (
    DEFAULT_SOLVER,
    Inference,
    check_abstention,
    check_assumptions,
    check_inference,
    check_joint,
    infer,
)
from maieutic.lm import LanguageModel, is_server, load_lm
from maieutic.nli import Verifier, load_verifier
from maieutic.nli.lm import LanguageModelVerifier
from maieutic.prompts import PromptSet, load_prompts
from maieutic.relate import relate
from maieutic.solvers import SOLVERS, Solver
from maieutic.text import as_question
from maieutic.tree import Tree

__all__ = ["BATCH_SIZE", "LoadedModels", "Maieutic", "conclude", "load_models"]

BATCH_SIZE = 16  # questions that grow together
SAME_MODEL = "lm"  # as the verifier's name: the language model itself


@dataclass(frozen=True, slots=True)
class LoadedModels:
    """What :func:`load_models` found."""

    lm: LanguageModel
    verifier: Verifier
    prompts: PromptSet


def load_models(
    lm: str,
    nli: str,
    *,
    prompts: str = "auto",
    device: str = "auto",
    dtype: str = "auto",
    download: bool = False,
    cache: ResponseStore | None = None,
) -> LoadedModels:
    """Load a language model, its prompt set and a verifier by name, as the command line does.

    Args:
        lm: as for :func:`maieutic.lm.load_lm`.
        nli: folder or hub id of an NLI model, or "lm" for the language model as its own verifier.
        prompts: "paper", "chat", the path of a TOML file, or "auto" for what suits the model.
        device, dtype, download: as for :func:`maieutic.lm.load_lm`; with a language model on a server they
            are the verifier's.
        cache: keeps what the models answer; None asks them every time.

    Raises:
        InputError: a model, the device or the prompt file cannot be used.
        ServerError: the language model's server fails.
    """
    chosen = None if prompts == "auto" else load_prompts(prompts)  # its errors come before long loading
    if is_server(lm) and nli != SAME_MODEL:
        model = load_lm(lm)
    else:
        model = load_lm(lm, device=device, dtype=dtype, download=download)
    model = model if cache is None else CachedLanguageModel(model, cache)
    prompt_set = chosen or load_prompts(model.prompts)
    verifier: Verifier
    if nli == SAME_MODEL:
        verifier = LanguageModelVerifier(model, prompt_set)
    else:
        verifier = load_verifier(nli, device=device, dtype=dtype, download=download)
        verifier = verifier if cache is None else CachedVerifier(verifier, cache)
    return LoadedModels(model, verifier, prompt_set)


class Maieutic:
    """Asks a language model, makes it argue both sides, and reports what fits together best.

    Args:
        lm: the model that is asked.
        verifier: the NLI model that relates its propositions.
        prompts: a prompt set; by default the built-in one that suits ``lm``.
        elicit: how trees grow.
        inference: "joint" (default) or "vote".
        joint: settings of joint inference, its weights among them.
        solver: a MaxSAT solver; by default RC2 in the form that suits the inference.
        abstain_below: answers less likely than this are unsure, in [0, 1].
        assumptions: what is taken for certain, from :func:`maieutic.inference.assumptions.assumptions_of`.

    Raises:
        InputError: an unknown inference; ``abstain_below`` out of range, or with vote, which has no P(true);
            assumptions, or settings of joint inference, with vote, which has no place for them.
    """

    def __init__(  # noqa: PLR0913 - one argument a setting
        self,
        lm: LanguageModel,
        verifier: Verifier,
        *,
        prompts: PromptSet | None = None,
        elicit: ElicitConfig = ElicitConfig(),  # noqa: B008 - frozen
        inference: str = "joint",
        joint: JointConfig = JointConfig(),  # noqa: B008 - frozen
        solver: Solver | None = None,
        abstain_below: float = 0.0,
        assumptions: Sequence[Assumption] = (),
    ) -> None:
        self.lm = lm
        self.verifier = verifier
        self.prompts = prompts or load_prompts(lm.prompts)
        self.elicit = elicit
        self.inference = check_inference(inference)
        self.joint = check_joint(joint, self.inference)
        self.abstain_below = check_abstention(abstain_below, self.inference)
        self.assumptions = check_assumptions(assumptions, self.inference)
        self.solver = solver or SOLVERS[DEFAULT_SOLVER[self.inference]]()

    def ask(self, question: str) -> Answer:
        """Answer one question or judge one statement.

        Raises:
            InputError: the question is empty or too long, or assumptions settle it or contradict each other.
            ContextLengthError: a prompt does not fit a model's window.
        """
        return next(self._answer([as_question(question)]))

    def ask_many(self, questions: Iterable[str], batch_size: int = BATCH_SIZE) -> Iterator[Answer]:
        """Answer questions as they come, ``batch_size`` at a time, in their order.

        Questions are taken from the iterable only as they are needed, and no answer is kept.

        Raises:
            InputError: a question is empty or too long, or is settled by what is assumed. The answers to
                those before it come first.
        """
        if batch_size < 1:
            raise InputError(f"batch_size must be ≥ 1, not {batch_size}")
        source = iter(questions)
        refused: InputError | None = None
        while refused is None:
            batch: list[str] = []
            try:
                batch.extend(map(as_question, islice(source, batch_size)))
            except InputError as error:  # of a question, or of the source itself
                refused = error
            if not batch:
                break
            yield from self._answer(batch)
        if refused is not None:
            raise refused

    def _answer(self, questions: Sequence[str]) -> Iterator[Answer]:
        start = time.perf_counter()
        grown = elicit(questions, self.lm, self.prompts, self.elicit)
        each = (time.perf_counter() - start) / len(grown)
        return _concluded(
            [growth.tree for growth in grown],
            self.verifier,
            self.solver,
            self.inference,
            joint=self.joint,
            abstain_below=self.abstain_below,
            assumptions=self.assumptions,
            grown_by=self.lm.name,
            elicit_seconds=each,
        )


def conclude(  # noqa: PLR0913 - one argument a setting
    trees: Sequence[Tree],
    verifier: Verifier,
    solver: Solver,
    inference: Inference,
    *,
    joint: JointConfig = JointConfig(),  # noqa: B008 - frozen
    abstain_below: float = 0.0,
    assumptions: Sequence[Assumption] = (),
    grown_by: str | None = None,
    elicit_seconds: float = 0.0,
) -> list[Answer]:
    """Relate, solve and answer trees that are grown already, here or elsewhere.

    Args:
        joint, abstain_below, assumptions: see :class:`Maieutic`.
        grown_by: name of the language model, None if it is not known.
        elicit_seconds: what growing took, per tree.

    Raises:
        InputError: assumptions settle a question or contradict each other.
        ContextLengthError: a pair of propositions does not fit the verifier's window.
        MaieuticError: the solver failed.
    """
    return list(
        _concluded(
            trees,
            verifier,
            solver,
            inference,
            joint=joint,
            abstain_below=abstain_below,
            assumptions=assumptions,
            grown_by=grown_by,
            elicit_seconds=elicit_seconds,
        )
    )


def _concluded(  # noqa: PLR0913 - as conclude
    trees: Sequence[Tree],
    verifier: Verifier,
    solver: Solver,
    inference: Inference,
    *,
    joint: JointConfig,
    abstain_below: float,
    assumptions: Sequence[Assumption],
    grown_by: str | None,
    elicit_seconds: float,
) -> Iterator[Answer]:
    """The answers as they are solved; an error comes after those before it."""
    models = Models(grown_by, verifier.name, solver.name)
    start = time.perf_counter()
    graphs = relate(
        trees,
        verifier,
        from_root=inference == "joint",
        pruned=inference == "joint" and joint.pruned > 0,
        assumptions=assumptions,
    )
    relate_seconds = (time.perf_counter() - start) / max(len(trees), 1)
    for tree, graph in zip(trees, graphs, strict=True):
        start = time.perf_counter()
        verdict = infer(tree, graph, inference, solver, joint, assumptions=assumptions)
        seconds = Seconds(elicit_seconds, relate_seconds, time.perf_counter() - start)
        yield Answer.of(tree, graph, verdict, inference, models, seconds, abstain_below=abstain_below)
