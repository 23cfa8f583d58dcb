"""Consistency of answers across questions: MaxSAT over answers and NLI relations, without explanations.

E. Mitchell, J. Noh, S. Li, W. Armstrong, A. Agarwal, P. Liu, C. Finn, C. Manning. "Enhancing
Self-Consistency and Performance of Pre-Trained Language Models through Natural Language Inference"
(ConCoRD). EMNLP 2022 (arXiv 2211.11875), section 3: the candidate answers to a batch of questions are
variables; exactly one answer to each question holds; an answer weighs β times its log-odds, and a relation
that a verifier finds between two answers 1 − β times its own weight.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from maieutic.benchmarks.methods.base import Outcome, charged, in_shares
from maieutic.benchmarks.methods.direct import NO_READING, Reading, read
from maieutic.errors import InputError
from maieutic.inference import Joint
from maieutic.inference.weights import DEFAULT_WEIGHTS, TERMS
from maieutic.models import LoadedModels
from maieutic.priors import log_odds
from maieutic.problem.base import Claim, ExactlyOne, Problem, bare_tree
from maieutic.problem.settled import Settled, settle
from maieutic.problem.ties import TieConfig
from maieutic.sentences import negations, statements
from maieutic.text import as_question
from maieutic.usage import Usage

__all__ = ["Concord", "answers_problem"]

CLIP = 13.8  # nats: the published implementation keeps probabilities one in a million away from 0 and 1
TRUE, FALSE = "T", "F"  # the claims T1 and F1 are the two answers to the first question


def answers_problem(texts: Sequence[str], p_true: Sequence[float | None], beta: float) -> Problem:
    """The problem of the answers to some questions.

    The answer true says the statement (of a question its declarative form by rule), the answer false its
    negation by rule. Exactly one of the two holds.

    Args:
        p_true: P(true) of each, in [0, 1]; None where it is unknown, which counts as even odds.
        beta: in [0, 1], scale of the answers' log-odds.
    """
    claims: list[Claim] = []
    groups: list[ExactlyOne] = []
    for number, (text, p) in enumerate(zip(texts, p_true, strict=True), 1):
        statement = statements(text)[0]
        odds = 0.0 if p is None else beta * log_odds(p, CLIP)
        pair = (f"{TRUE}{number}", f"{FALSE}{number}")
        claims.append(Claim(pair[0], bare_tree(statement), odds))
        claims.append(Claim(pair[1], bare_tree(negations(statement)[0]), -odds))
        groups.append(ExactlyOne(pair))
    return Problem(tuple(claims), tuple(groups))


@dataclass(frozen=True)
class Concord:
    """Settles the direct answers to a batch of questions as one problem.

    P(true) of each question is read by the direct prompt. The verifier relates the answers of different
    questions that share content words, the best by BM25 first, where the paper relates all. A relation weighs
    its log-odds, where the paper has −ln(1 − p), which is at most 0.7 nats more. The answer is that of the
    best labelling; P(true) is exact in the same weighted problem, and can lie on the other side of one half.
    Where the questions are too entangled for it there is a margin in nats. Without β and λ tuned on data of
    the same kind, as in the paper, their defaults are the middle of their ranges.

    Records depend on which questions are judged together: those of a batch of the run, in their order. The
    details are ``direct``, P(true) before the others are considered, and ``questions``, their number.

    Attributes:
        beta: weight of the answers against the relations, in [0, 1]; 1 leaves direct answers.
        threshold: a relation less probable than this is left out (the paper's λ), in [0, 1).
        each: most answers to other questions that an answer is related to, ≥ 0.
    """

    beta: float = 0.5
    threshold: float = 0.5
    each: int = 16

    def __post_init__(self) -> None:
        for name, fits, rule in (
            ("beta", 0.0 <= self.beta <= 1.0, "in [0, 1]"),
            ("threshold", 0.0 <= self.threshold < 1.0, "in [0, 1)"),
            ("each", self.each >= 0, "≥ 0"),
        ):
            if not fits:
                raise InputError(f"{name} must be {rule}, not {getattr(self, name)!r}", subject=name)

    @property
    def uses_verifier(self) -> bool:
        return True

    @property
    def prompt_kinds(self) -> tuple[str, ...]:
        return ("direct",)

    def run(self, texts: Sequence[str], models: LoadedModels) -> list[Outcome]:
        """Judge the texts together; see :class:`maieutic.benchmarks.methods.base.Method`.

        Raises:
            InputError: a text is empty or too long.
            MaieuticError: the verifier or the solver failed.
        """
        if not texts:
            return []
        start = time.perf_counter()
        questions = [as_question(text) for text in texts]
        readings = read(models.lm, models.prompts, [models.prompts.direct(text) for text in questions])
        problem = answers_problem(questions, [reading.p_true for reading in readings], self.beta)
        ties = TieConfig(0.0, 0.0, statements=1.0 - self.beta, each=self.each, premises=False)
        settled = settle(problem, models.verifier, self._joint(), ties)
        outcomes = [_outcome(settled, place, reading) for place, reading in enumerate(readings, 1)]
        shared = _shares(settled.usage, len(texts))
        usages = [reading.usage + share for reading, share in zip(readings, shared, strict=True)]
        return charged(outcomes, usages, time.perf_counter() - start)

    def _joint(self) -> Joint:
        """Joint inference in which nothing weighs but the answers and the relations between them."""
        weights = replace(DEFAULT_WEIGHTS, **dict.fromkeys(TERMS, 0.0), threshold=self.threshold, clip=CLIP)
        return Joint(weights, answer_by="labelling")


def _outcome(settled: Settled, number: int, reading: Reading) -> Outcome:
    details = {"mass": reading.mass, "questions": float(len(settled.problem.groups))}
    if reading.p_true is None:
        return Outcome(None, problem=NO_READING, details=details)
    claim = f"{TRUE}{number}"
    decision = settled.decisions[number - 1]
    p_true = settled.p_true.get(claim)
    details["direct"] = reading.p_true
    if p_true is None:
        margin = max(0.0, decision.margin)
        return Outcome(settled.labels[claim], margin=margin, margin_unit="nats", details=details)
    return Outcome(settled.labels[claim], p_true, details=details)


def _shares(usage: Usage, parts: int) -> list[Usage]:
    """The usage of settling as a sum of shares that differ by at most 1 in each number."""
    names = Usage.__dataclass_fields__
    columns = [in_shares(getattr(usage, name), parts) for name in names]
    return [Usage(**dict(zip(names, row, strict=True))) for row in zip(*columns, strict=True)]
