"""The order of the four steps: elicit, relate, infer, answer. Nothing else knows it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Any, Literal, overload

from maieutic.answer import NO_VERIFIER, NOTHING_JUDGED, Answer, Models, Seconds
from maieutic.bundled import AGORA
from maieutic.cache.store import ResponseStore
from maieutic.config import ElicitConfig
from maieutic.elicit import Growth, Standing, elicit
from maieutic.errors import InputError
from maieutic.inference import BeliefGraph, Inference, Joint, Vote
from maieutic.inference.standing import standing
from maieutic.lm import LanguageModel
from maieutic.lm.beliefs import belief_source_of
from maieutic.lm.calls import check_language_model
from maieutic.lm.known_words import unmet_words_warning
from maieutic.memory.asking import entered_answer, first_recall, second_recall
from maieutic.memory.base import Memory
from maieutic.models import LoadedModels, load_models, with_bundled_weights
from maieutic.nli import Verifier
from maieutic.nli.calls import check_verifier, predict
from maieutic.nli.remembered import RememberingVerifier
from maieutic.problem.asking import SettlesProblems, joint_of
from maieutic.progress import Progress, reported
from maieutic.prompts import PromptSet, load_prompts
from maieutic.relate import relate
from maieutic.text import as_question
from maieutic.tree import Tree

__all__ = ["BATCH_SIZE", "Maieutic", "Unanswered"]

BATCH_SIZE = 16  # questions that grow together


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A question that could not be used.

    Attributes:
        question: as given; it need not be a text.
        error: why not, and what to do.
    """

    question: object
    error: InputError


class Maieutic(SettlesProblems):
    """Asks a language model, makes it argue both sides, and reports what fits together best.

    Args:
        lm: the model that is asked.
        verifier: the NLI model that relates its propositions.
        prompts: a prompt set; by default the built-in one that suits ``lm``.
        elicit: how trees grow. Anytime growth goes by P(Q), which only joint inference gives: for others
            trees grow breadth-first, and those of vote inference are pruned.
        inference: :class:`maieutic.inference.Joint` (default), ``Vote``, ``Argue`` or one of your own.
            Joint inference without weights of its own takes those of the bundled models for these, and the
            package's for others, without the priors that :meth:`load` and :meth:`of` estimate.
        progress: receives each step of answering when it ends.
        memory: questions are answered in it, one after the other, and entered. With joint inference only.

    It can be pickled where its parts can.

    Raises:
        InputError: ``lm`` or ``verifier`` lacks what its protocol asks for.
    """

    def __init__(
        self,
        lm: LanguageModel,
        verifier: Verifier,
        *,
        prompts: PromptSet | None = None,
        elicit: ElicitConfig = ElicitConfig(),  # noqa: B008 - frozen
        inference: Inference | None = None,
        progress: Progress | None = None,
        memory: Memory | None = None,
    ) -> None:
        check_language_model(lm)
        check_verifier(verifier)
        self.lm = lm
        self.verifier = verifier
        self.prompts = prompts or load_prompts(lm.prompts)
        self.inference = with_bundled_weights(inference or Joint(), lm, verifier)
        self.elicit = _grown_for(self.inference, elicit)
        self.progress = progress
        self.memory = memory
        if memory is not None and not isinstance(self.inference, Joint):
            problem = f"{self.inference.name} inference answers in no memory; use joint"
            raise InputError(problem, subject="memory")

    def __repr__(self) -> str:
        """One line: the names of its parts."""
        names = f"lm={self.lm.name!r}, verifier={self.verifier.name!r}, inference={self.inference.name!r}"
        return f"<Maieutic {names}>"

    @classmethod
    def load(  # noqa: PLR0913 - each is a choice of its own
        cls,
        lm: str = AGORA,
        nli: str = AGORA,
        *,
        prompts: str = "auto",
        elicit: ElicitConfig = ElicitConfig(),  # noqa: B008 - frozen
        inference: Inference | None = None,
        progress: Progress | None = None,
        cache: ResponseStore | None = None,
        memory: Memory | None = None,
        **options: Any,
    ) -> Maieutic:
        """Load models by name, as ``maieutic ask`` does.

        Args:
            lm, nli, prompts, cache: as for :func:`load_models`, and ``options`` too: beliefs, device, dtype,
                download.
            elicit, inference, progress, memory: as for the class. Joint inference without weights of its own
                takes those that suit the two models.

        Raises:
            InputError: a model, the device or the prompt file cannot be used.
            ServerError: the language model's server fails.
        """
        models = replace(load_models(lm, nli, prompts=prompts, cache=cache, **options), progress=progress)
        return cls.of(models, elicit=elicit, inference=inference, memory=memory)

    @classmethod
    def of(
        cls,
        models: LoadedModels,
        *,
        elicit: ElicitConfig = ElicitConfig(),  # noqa: B008 - frozen
        inference: Inference | None = None,
        memory: Memory | None = None,
    ) -> Maieutic:
        """What :meth:`load` makes, of models that are open already, or are your own.

        The language model's priors are estimated now, where ``elicit`` asks for them, or come from the
        response cache.

        Args:
            elicit, inference, memory: as for :meth:`load`.

        Raises:
            InputError: a model lacks what its protocol asks for.
            ContextLengthError: a prompt does not fit the model's window.
        """
        check_language_model(models.lm)
        check_verifier(models.verifier)
        return cls(
            models.lm,
            models.verifier,
            prompts=models.prompts,
            elicit=elicit,
            inference=models.suited(inference or Joint(), elicit),
            progress=models.progress,
            memory=memory,
        )

    def ask(self, question: str) -> Answer:
        """Answer one question or judge one statement.

        Raises:
            InputError: the question is empty or too long, or assumptions settle it or contradict each other.
            ContextLengthError: a prompt does not fit a model's window.
        """
        return next(self._answered([as_question(question)]))

    @overload
    def ask_many(
        self, questions: Iterable[str], batch_size: int = ..., *, on_error: Literal["raise"] = "raise"
    ) -> Iterator[Answer]: ...

    @overload
    def ask_many(
        self, questions: Iterable[str], batch_size: int = ..., *, on_error: Literal["yield"]
    ) -> Iterator[Answer | Unanswered]: ...

    def ask_many(
        self, questions: Iterable[str], batch_size: int = BATCH_SIZE, *, on_error: str = "raise"
    ) -> Iterator[Answer | Unanswered]:
        """Answer questions as they come, ``batch_size`` at a time, in their order.

        Questions are taken from the iterable only as they are needed; no answer is kept.

        Args:
            questions: any iterable of texts, but a text is none.
            batch_size: questions that grow together, ≥ 1.
            on_error: "raise", or "yield" for an :class:`Unanswered` in the place of a question that cannot
                be used. A failure of a model, of its server or of the source of questions is raised anyway.

        Raises:
            InputError: an argument is invalid; or a question is (it is empty or too long, does not fit the
                model's window, or an assumption settles it), and the answers to those before it come first.
        """
        if isinstance(questions, str | bytes):
            problem = "questions must be an iterable of texts, not one text"
            raise InputError(f"{problem}; give a list, or use ask", subject="questions")
        if batch_size < 1:
            raise InputError(f"batch_size must be ≥ 1, not {batch_size}", subject="batch_size")
        if on_error not in ("raise", "yield"):
            raise InputError(f'on_error must be "raise" or "yield", not {on_error!r}', subject="on_error")
        return self._answers(iter(questions), batch_size, lenient=on_error == "yield")

    def _answers(
        self, source: Iterator[str], batch_size: int, *, lenient: bool
    ) -> Iterator[Answer | Unanswered]:
        refused: InputError | None = None
        while refused is None:
            batch: list[str] = []
            try:
                batch.extend(
                    islice(source, batch_size) if lenient else map(as_question, islice(source, batch_size))
                )
            except InputError as error:  # of a question, or of the source itself
                refused = error
            if not batch:
                break
            yield from self._each(batch) if lenient else self._answered(batch)
        if refused is not None:
            raise refused

    def _each(self, texts: Sequence[str]) -> Iterator[Answer | Unanswered]:
        """An answer or an error for each text; where the batch fails, its texts are tried one at a time."""
        usable: dict[int, str] = {}
        results: dict[int, Answer | Unanswered] = {}
        for place, text in enumerate(texts):
            try:
                usable[place] = as_question(text)
            except InputError as error:
                results[place] = Unanswered(text, error)
        try:
            results |= zip(usable, self._answered(list(usable.values())), strict=True)
        except InputError:
            for place, text in usable.items():
                try:
                    results[place] = self.ask(text)
                except InputError as error:
                    results[place] = Unanswered(text, error)
        return (results[place] for place in range(len(texts)))

    def _answered(self, questions: Sequence[str]) -> Iterator[Answer]:
        """The answers to questions that advance together; no pair is scored twice."""
        if self.memory is not None:
            return (self._remembering(question, self.memory) for question in questions)
        verifier = RememberingVerifier.around(self.verifier)
        return self._concluded(self._grown(questions, verifier), verifier)

    def _remembering(self, question: str, memory: Memory) -> Answer:
        """The answer in a memory, which it is entered into (:mod:`maieutic.memory.asking`)."""
        joint, verifier = joint_of(self.inference), RememberingVerifier.around(self.verifier)
        first = first_recall(memory, joint, verifier, [question])
        growing = self.knowing(first)
        (growth,) = growing.grow([question])
        second = second_recall(memory, joint, verifier, [growth.tree], [question])
        (answer,) = self.knowing(second).conclude([growth])
        shown = growing.prompts.facts
        notes = entered_answer(memory, replace(second, shown=shown), answer, self.lm)
        return replace(answer, memory=notes, warnings=(*answer.warnings, *notes.warnings))

    def grow(self, questions: Sequence[str]) -> list[Growth]:
        """Grow the trees of explanations of some questions together."""
        return self._grown(questions, RememberingVerifier.around(self.verifier))

    def _grown(self, questions: Sequence[str], verifier: Verifier) -> list[Growth]:
        start = time.perf_counter()
        inference = self.inference

        def assess(trees: Sequence[Tree]) -> list[Standing]:
            assert isinstance(inference, Joint)
            related = relate(trees, verifier, inference, self.progress)
            return [_standing(inference, tree, each.graph) for tree, each in zip(trees, related, strict=True)]

        growths = elicit(
            questions,
            self.lm,
            self.prompts,
            self.elicit,
            assess=assess if isinstance(inference, Joint) else None,
            score_pairs=partial(predict, verifier) if inference.uses_verifier else None,
            progress=self.progress,
        )
        seconds = (time.perf_counter() - start) / max(len(growths), 1)
        source = belief_source_of(self.lm)
        return [
            replace(
                growth,
                seconds=seconds,
                lm=self.lm.name,
                belief_source=source,
                warnings=self._unmet(growth.tree),
            )
            for growth in growths
        ]

    def _unmet(self, tree: Tree) -> tuple[str, ...]:
        """The warning of words, in what is asked and assumed, that the language model has never met."""
        assumed = self.inference.assumptions if isinstance(self.inference, Joint) else ()
        warning = unmet_words_warning(self.lm, [tree.statement, *(each.statement for each in assumed)])
        return () if warning is None else (warning,)

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
        return self._concluded(trees, self.verifier)

    def _concluded(self, trees: Iterable[Tree | Growth], verifier: Verifier) -> Iterator[Answer]:
        growths = [item if isinstance(item, Growth) else Growth(item) for item in trees]
        name = self.verifier.name if self.inference.uses_verifier else NO_VERIFIER
        weights = self.inference.weights if isinstance(self.inference, Joint) else None
        priors = None if weights is None else weights.priors
        start = time.perf_counter()
        related = relate([growth.tree for growth in growths], verifier, self.inference, self.progress)
        relate_seconds = (time.perf_counter() - start) / max(len(growths), 1)
        for growth, relating in zip(growths, related, strict=True):
            start = time.perf_counter()
            with reported(self.progress, "solution", None, questions=1, items=1):
                verdict = self.inference.infer(growth.tree, relating.graph)
            warnings = growth.warnings if growth.tree.judged else (*growth.warnings, NOTHING_JUDGED)
            verdict = replace(verdict, unsure=verdict.unsure or bool(warnings))
            seconds = Seconds(growth.seconds, relate_seconds, time.perf_counter() - start, len(growths))
            models = Models(growth.lm, name, growth.belief_source, priors)
            usage = growth.usage + relating.usage
            yield Answer(growth.tree, relating.graph, verdict, models, seconds, usage, warnings, growth.steps)


def _standing(joint: Joint, tree: Tree, graph: BeliefGraph) -> Standing:
    """How a tree stands. One that cannot be weighed grows no further; concluding it says why."""
    try:
        return standing(joint, tree, graph)
    except InputError:
        return Standing(None, None, {}, 0.0, 0.0)


def _grown_for(inference: Inference, elicit: ElicitConfig) -> ElicitConfig:
    """The settings of growth as the inference needs them."""
    if isinstance(inference, Joint):
        return elicit
    return replace(elicit, growth="reference", prune=elicit.prune or isinstance(inference, Vote))
