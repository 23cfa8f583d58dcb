"""The order of the four steps: elicit, relate, infer, answer. Nothing else knows it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from maieutic.answer import NO_VERIFIER, Answer, Models, Seconds
from maieutic.bundled import AGORA, bundled_weights
from maieutic.cache.language_model import CachedLanguageModel
from maieutic.cache.store import ResponseStore
from maieutic.cache.verifier import CachedVerifier
from maieutic.config import ElicitConfig
from maieutic.elicit import Growth, elicit
from maieutic.errors import InputError
from maieutic.inference import Inference, Joint
from maieutic.inference.weights import read_weights
from maieutic.lm import LanguageModel, is_server, load_lm
from maieutic.lm.beliefs import BeliefReader, BeliefSource, belief_source_of
from maieutic.nli import Verifier, load_verifier
from maieutic.nli.lm import LanguageModelVerifier
from maieutic.prompts import PromptSet, load_prompts
from maieutic.relate import relate
from maieutic.text import as_question
from maieutic.tree import Tree

__all__ = ["BATCH_SIZE", "LoadedModels", "Maieutic", "load_models", "open_lm", "open_verifier"]

BATCH_SIZE = 16  # questions that grow together
SAME_MODEL = "lm"  # as the verifier's name: the language model itself


@dataclass(frozen=True, slots=True)
class LoadedModels:
    """The models behind :class:`Maieutic`."""

    lm: LanguageModel
    verifier: Verifier
    prompts: PromptSet


def open_lm(
    name: str, *, cache: ResponseStore | None = None, beliefs: BeliefSource | None = None, **options: Any
) -> LanguageModel:
    """Load a language model, behind a cache and a reader of beliefs where these are given.

    Args:
        name, options: as for :func:`maieutic.lm.load_lm`.
        cache, beliefs: as for :func:`load_models`.

    Raises:
        InputError: the model or the device cannot be used.
        ServerError: the model's server fails.
    """
    model = load_lm(name, probabilities=beliefs is None, **options)
    model = model if cache is None else CachedLanguageModel(model, cache)
    return model if beliefs is None else BeliefReader(model, beliefs)


def open_verifier(name: str, *, cache: ResponseStore | None = None, **options: Any) -> Verifier:
    """Load a verifier, behind a cache where one is given.

    Args:
        name, options: as for :func:`maieutic.nli.load_verifier`.

    Raises:
        InputError: the model or the device cannot be used.
    """
    verifier = load_verifier(name, **options)
    return verifier if cache is None else CachedVerifier(verifier, cache)


def load_models(
    lm: str,
    nli: str,
    *,
    prompts: str = "auto",
    cache: ResponseStore | None = None,
    beliefs: BeliefSource | None = None,
    **options: Any,
) -> LoadedModels:
    """Load a language model, its prompt set and a verifier by name.

    Args:
        lm: as for :func:`maieutic.lm.load_lm`.
        nli: "agora", folder or hub id of an NLI model, or "lm" for the language model as its own verifier.
        prompts: "paper", "chat", the path of a TOML file, or "auto" for the set that suits the model.
        cache: keeps the models' replies; None asks the models every time.
        beliefs: where the language model's beliefs come from; None for its probabilities.
        options: device, dtype, download, as for :func:`maieutic.lm.load_lm`; with a language model on a
            server they are the verifier's.

    Raises:
        InputError: a model, the device or the prompt file cannot be used.
        ServerError: the language model's server fails.
    """
    chosen = None if prompts == "auto" else load_prompts(prompts)  # fails before the models take time
    of_lm = {} if is_server(lm) and nli != SAME_MODEL else options
    model = open_lm(lm, cache=cache, beliefs=beliefs, **of_lm)
    prompt_set = chosen or load_prompts(model.prompts)
    verifier: Verifier
    if nli == SAME_MODEL:
        verifier = LanguageModelVerifier(model, prompt_set)
    else:
        verifier = open_verifier(nli, cache=cache, **options)
    return LoadedModels(model, verifier, prompt_set)


class Maieutic:
    """Asks a language model, makes it argue both sides, and reports what fits together best.

    Args:
        lm: the model that is asked.
        verifier: the NLI model that relates its propositions.
        prompts: a prompt set; by default the built-in one that suits ``lm``.
        elicit: how trees grow.
        inference: :class:`maieutic.inference.Joint` (default), ``Vote``, ``Argue`` or one of your own.
            Joint inference without weights of its own takes those that suit the two models.
    """

    def __init__(
        self,
        lm: LanguageModel,
        verifier: Verifier,
        *,
        prompts: PromptSet | None = None,
        elicit: ElicitConfig = ElicitConfig(),  # noqa: B008 - frozen
        inference: Inference | None = None,
    ) -> None:
        self.lm = lm
        self.verifier = verifier
        self.prompts = prompts or load_prompts(lm.prompts)
        self.elicit = elicit
        self.inference = _suited(inference or Joint(), lm, verifier)

    @classmethod
    def load(
        cls,
        lm: str = AGORA,
        nli: str = AGORA,
        *,
        prompts: str = "auto",
        elicit: ElicitConfig = ElicitConfig(),  # noqa: B008 - frozen
        inference: Inference | None = None,
        cache: ResponseStore | None = None,
        **options: Any,
    ) -> Maieutic:
        """Load models by name, as ``maieutic ask`` does.

        Args:
            lm, nli, prompts, cache: as for :func:`load_models`, and ``options`` too: beliefs, device, dtype,
                download.
            elicit, inference: as for the class.

        Raises:
            InputError: a model, the device or the prompt file cannot be used.
            ServerError: the language model's server fails.
        """
        models = load_models(lm, nli, prompts=prompts, cache=cache, **options)
        return cls(models.lm, models.verifier, prompts=models.prompts, elicit=elicit, inference=inference)

    def ask(self, question: str) -> Answer:
        """Answer one question or judge one statement.

        Raises:
            InputError: the question is empty or too long, or assumptions settle it or contradict each other.
            ContextLengthError: a prompt does not fit a model's window.
        """
        return next(self.conclude(self.grow([as_question(question)])))

    def ask_many(self, questions: Iterable[str], batch_size: int = BATCH_SIZE) -> Iterator[Answer]:
        """Answer questions as they come, ``batch_size`` at a time, in their order.

        Questions are taken from the iterable only as they are needed; no answer is kept.

        Raises:
            InputError: a question is empty or too long, or an assumption settles it. The answers to those
                before it come first.
        """
        if batch_size < 1:
            raise InputError(f"batch_size must be ≥ 1, not {batch_size}", subject="batch_size")
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
            yield from self.conclude(self.grow(batch))
        if refused is not None:
            raise refused

    def grow(self, questions: Sequence[str]) -> list[Growth]:
        """Grow the trees of explanations of some questions together."""
        start = time.perf_counter()
        growths = elicit(questions, self.lm, self.prompts, self.elicit)
        seconds = (time.perf_counter() - start) / max(len(growths), 1)
        source = belief_source_of(self.lm)
        return [replace(growth, seconds=seconds, lm=self.lm.name, belief_source=source) for growth in growths]

    def conclude(self, trees: Iterable[Tree | Growth]) -> Iterator[Answer]:
        """Relate and solve trees that are grown already; the answers as they are solved.

        Args:
            trees: of :meth:`grow`, with what growing them took, or from elsewhere.

        Raises:
            InputError: assumptions settle a question or contradict each other. The answers to the trees
                before come first.
            ContextLengthError: a pair of propositions does not fit the verifier's window.
            MaieuticError: the verifier did not return a row for each pair, or the solver failed.
        """
        growths = [item if isinstance(item, Growth) else Growth(item) for item in trees]
        verifier = self.verifier.name if self.inference.uses_verifier else NO_VERIFIER
        start = time.perf_counter()
        related = relate([growth.tree for growth in growths], self.verifier, self.inference)
        relate_seconds = (time.perf_counter() - start) / max(len(growths), 1)
        for growth, relating in zip(growths, related, strict=True):
            start = time.perf_counter()
            verdict = self.inference.infer(growth.tree, relating.graph)
            seconds = Seconds(growth.seconds, relate_seconds, time.perf_counter() - start)
            models = Models(growth.lm, verifier, growth.belief_source)
            usage = growth.usage + relating.usage
            yield Answer(growth.tree, relating.graph, verdict, models, seconds, usage)


def _suited(inference: Inference, lm: LanguageModel, verifier: Verifier) -> Inference:
    """The inference with the weights that suit the models, where it leaves them open."""
    bundled = lm.name == verifier.name == AGORA
    if isinstance(inference, Joint) and inference.weights is None and bundled:
        return replace(inference, weights=read_weights(bundled_weights()))
    return inference
