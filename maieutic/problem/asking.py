"""What :class:`maieutic.Maieutic` does with several claims: it grows their trees and settles all at once."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Self

from maieutic.elicit import Growth
from maieutic.errors import InputError
from maieutic.inference import Inference, Joint
from maieutic.inference.weights import DEFAULT_WEIGHTS, JointWeights
from maieutic.lm.base import LanguageModel
from maieutic.memory.asking import Recall, check_agreement, entered_problem, first_recall, second_recall
from maieutic.memory.base import Memory
from maieutic.memory.notes import MemoryNotes
from maieutic.nli.base import Verifier
from maieutic.nli.remembered import RememberingVerifier
from maieutic.priors import Priors
from maieutic.problem.base import Problem
from maieutic.problem.checking import Check, Statements, check_of, check_problem, statements_of
from maieutic.problem.choosing import (
    Choice,
    check_options,
    choice_of,
    choice_problem,
    choice_weights,
    option_texts,
)
from maieutic.problem.settled import Settled, settle
from maieutic.problem.ties import TieConfig
from maieutic.progress import Progress
from maieutic.prompts import PromptSet
from maieutic.tree import Tree

__all__ = ["SettlesProblems", "check_alone", "for_choosing", "joint_of"]

NOTHING_JUDGED = "the model judged nothing: it said neither true nor false of any option"
DEFAULT_TIES = TieConfig()


@dataclass(frozen=True)
class Work:
    """Claims to grow and settle.

    Attributes:
        kind: "choose" or "check"; ``text``: the question, or the text that is checked.
        statements: of the claims that are judged.
        grow: whether the language model is asked about them.
    """

    kind: str
    text: str
    statements: Sequence[str]
    joint: Joint
    ties: TieConfig
    grow: bool = True


class SettlesProblems(ABC):
    """The methods of :class:`maieutic.Maieutic` for several claims; the parts are that class's."""

    lm: LanguageModel
    verifier: Verifier
    prompts: PromptSet
    inference: Inference
    progress: Progress | None
    memory: Memory | None

    @abstractmethod
    def grow(self, questions: Sequence[str]) -> list[Growth]:
        """Grow the trees of explanations of some questions together."""

    def choose(self, question: str, options: Sequence[str], *, ties: TieConfig = DEFAULT_TIES) -> Choice:
        """Choose among the options of a question.

        Each option becomes a statement and grows a tree where it is unsure. All are claims of one problem, of
        which exactly one is true. Weights of joint inference that are the package's own are exchanged for
        those learned for choosing.

        Args:
            options: 2 to :data:`maieutic.problem.choosing.MOST_OPTIONS` different texts.
            ties: how the options are related with each other.

        Raises:
            InputError: there are too few or too many options, two are equal, a text cannot be used, or the
                inference is not joint.
            ContextLengthError: a prompt does not fit a model's window.
        """
        joint = for_choosing(joint_of(self.inference))
        asked, texts = check_options(question, options)
        start = time.perf_counter()
        statements, usage = option_texts(asked, texts, self.lm, self.prompts)
        growths, settled, notes = self._worked(
            Work("choose", asked, statements, joint, ties), lambda trees: choice_problem(trees, texts)
        )
        choice = choice_of(asked, texts, settled, abstain_below=joint.abstain_below)
        usage = sum((growth.usage for growth in growths), usage) + choice.usage
        judged = any(growth.tree.judged for growth in growths)
        return replace(
            choice,
            usage=usage,
            seconds=time.perf_counter() - start,
            unsure=choice.unsure or not judged,
            warnings=(*(() if judged else (NOTHING_JUDGED,)), *_warned(notes)),
            memory=notes,
        )

    def check(
        self,
        statements: Sequence[str] | Statements,
        *,
        facts: Sequence[str] | Mapping[str, bool] = (),
        documents: Sequence[str] = (),
        grow: bool = True,
        ties: TieConfig = DEFAULT_TIES,
    ) -> Check:
        """Find out whether statements hang together, and which to give up if not.

        Args:
            statements: texts, or what :func:`maieutic.problem.checking.statements_of` makes of them.
            facts: texts that are certainly true, or texts with their truth.
            documents: sentences that are certain premises and are not judged.
            grow: whether the language model is asked what it believes, and trees grow where it is unsure;
                False goes by the verifier alone.
            ties: how the statements are related with each other.

        Raises:
            InputError: a text cannot be used, facts contradict each other, or the inference is not joint.
            ContextLengthError: a prompt does not fit a model's window.
        """
        start = time.perf_counter()
        joint = joint_of(self.inference)
        if isinstance(statements, Statements):
            given = statements
        else:
            given = statements_of(statements, facts=facts, documents=documents)
        growths, settled, notes = self._worked(
            Work("check", given.text, given.claims, joint, ties, grow=grow),
            lambda trees: check_problem(given, trees),
        )
        checked = check_of(given, settled, joint)
        usage = sum((growth.usage for growth in growths), checked.usage)
        seconds = time.perf_counter() - start
        return replace(checked, usage=usage, seconds=seconds, memory=notes, warnings=_warned(notes))

    def _worked(
        self, work: Work, problem_of: Callable[[Sequence[Tree]], Problem]
    ) -> tuple[list[Growth], Settled, MemoryNotes | None]:
        """Grow the trees of some claims and settle their problem, in the memory if there is one."""
        if self.memory is None:
            growths = self.grow(work.statements) if work.grow else []
            problem = problem_of([growth.tree for growth in growths])
            return growths, self._settled(problem, work.joint, work.ties), None
        verifier = RememberingVerifier.around(self.verifier)
        texts = [text for text in (work.text, *work.statements) if text]
        first = first_recall(self.memory, work.joint, verifier, texts)
        growths = self.knowing(first).grow(work.statements) if work.grow else []
        trees = [growth.tree for growth in growths]
        second = second_recall(self.memory, work.joint, verifier, trees, texts)
        problem = problem_of(trees)
        check_agreement(second.joint, problem)
        settled = self.knowing(second)._settled(problem, second.joint, work.ties)
        second = replace(second, shown=self.prompts.knowing(first.shown).facts)
        notes = entered_problem(self.memory, second, (work.kind, work.text), settled, self.lm)
        return growths, settled, notes

    def knowing(self, recall: Recall) -> Self:
        """The same with what a memory brings, for one question."""
        other = copy(self)
        other.inference, other.verifier = recall.joint, recall.verifier
        other.prompts, other.memory = self.prompts.knowing(recall.shown), None
        return other

    def settle(self, problem: Problem, *, ties: TieConfig = DEFAULT_TIES) -> Settled:
        """Relate and solve the claims of a problem over one belief graph; nothing grows.

        Raises:
            InputError: the inference is not joint, or the hard constraints contradict each other; the message
                names the fewest that do.
            MaieuticError: the verifier or the solver failed.
        """
        return self._settled(problem, joint_of(self.inference), ties)

    def _settled(self, problem: Problem, joint: Joint, ties: TieConfig) -> Settled:
        verifier = RememberingVerifier.around(self.verifier)
        return settle(problem, verifier, joint, ties, self.progress)


def check_alone(given: Statements, verifier: Verifier, joint: Joint, ties: TieConfig) -> Check:
    """Check statements by a verifier alone, without a language model.

    Raises:
        InputError: facts contradict each other.
        MaieuticError: the verifier or the solver failed.
    """
    start = time.perf_counter()
    settled = settle(check_problem(given), RememberingVerifier.around(verifier), joint, ties)
    return replace(check_of(given, settled, joint), seconds=time.perf_counter() - start)


def _warned(notes: MemoryNotes | None) -> tuple[str, ...]:
    return () if notes is None else notes.warnings


def joint_of(inference: Inference) -> Joint:
    """The inference, which must be joint.

    Raises:
        InputError: it is not.
    """
    if not isinstance(inference, Joint):
        problem = f"{inference.name} inference solves one tree at a time; use joint for several claims"
        raise InputError(problem, subject="inference")
    return inference


def for_choosing(joint: Joint) -> Joint:
    """The inference with the weights learned for choosing, in place of the package's own for questions.

    Weights of the user's own, and those of the bundled models, stay. So do the priors of the language model.
    """
    weights = joint.weights or DEFAULT_WEIGHTS
    if _without_priors(weights) != _without_priors(DEFAULT_WEIGHTS):
        return joint
    priors = weights.priors or Priors(0.0, 0.0, 0.0)
    return replace(joint, weights=choice_weights().with_priors(priors))


def _without_priors(weights: JointWeights) -> JointWeights:
    return weights.with_priors(Priors(0.0, 0.0, 0.0))
