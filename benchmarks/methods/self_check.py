"""SelfCheckGPT with NLI: a sentence that sampled texts contradict is probably false.

P. Manakul, A. Liusie, M. Gales. "SelfCheckGPT: Zero-Resource Black-Box Hallucination Detection for Generative
Large Language Models". EMNLP 2023 (arXiv 2303.08896), section "SelfCheckGPT with NLI": of the probabilities
of a verifier only entailment and contradiction count, P(contradict) = c / (c + e), and a sentence's score is
the mean over the samples.

>>> round(contradicted([(0.2, 0.5, 0.3), (0.6, 0.2, 0.2)]), 3)
0.575
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

from maieutic.benchmarks.methods.base import Outcome, Said, charged
from maieutic.benchmarks.methods.chain_of_thought import reason_in
from maieutic.benchmarks.methods.sampling import Sampled
from maieutic.lm.calls import sample
from maieutic.models import LoadedModels
from maieutic.nli.base import CONTRADICTION, ENTAILMENT
from maieutic.nli.remembered import RememberingVerifier
from maieutic.sentences import statements
from maieutic.text import as_question
from maieutic.usage import Usage

__all__ = ["NOTHING_SAID", "SelfCheck", "contradicted"]

NOTHING_SAID = "none of the sampled texts says anything"


def contradicted(rows: Sequence[Sequence[float]]) -> float:
    """The mean of P(contradict) over the samples, in [0, 1]; 1/2 for a sample that is surely neutral.

    Args:
        rows: P(contradiction), P(neutral), P(entailment) of each sample as the premise; at least one.
    """
    shares = []
    for row in rows:
        either = row[CONTRADICTION] + row[ENTAILMENT]
        shares.append(row[CONTRADICTION] / either if either > 0.0 else 0.5)
    return math.fsum(shares) / len(shares)


@dataclass(frozen=True)
class SelfCheck(Sampled):
    """Samples texts about the statement and asks the verifier whether they contradict it.

    In the paper the sentence is one of the model's response, here it is the statement to judge; of a question
    it is the declarative form by rule. The texts are the reasons in replies to the belief prompt, without
    their verdicts. P(true) is 1 − the score of :func:`contradicted`; the answer is true from one half on.
    Blank texts do not count, and without any other there is no answer. The detail ``texts`` counts those
    that do.

    Attributes:
        samples: texts per statement, ≥ 1; the paper's number is 20.
        temperature: of their sampling, ≥ 0.
        top_p: nucleus of their sampling, in (0, 1].
        max_new_tokens: token limit of a text, ≥ 1.
        seed: of their sampling.
    """

    samples: int = 20

    @property
    def uses_verifier(self) -> bool:
        return True

    @property
    def prompt_kinds(self) -> tuple[str, ...]:
        return ("belief",)

    def run(self, texts: Sequence[str], models: LoadedModels) -> list[Outcome]:
        """Judge each text; see :class:`maieutic.benchmarks.methods.base.Method`.

        Raises:
            InputError: a text is empty or too long.
        """
        start = time.perf_counter()
        prompts = models.prompts
        questions = [as_question(text) for text in texts]
        replies = sample(models.lm, [prompts.belief(text) for text in questions], self.samples, self.params)
        reasons = [[reason_in(reply.text, prompts.marker) for reply in row] for row in replies]
        claims = [statements(text)[0] for text in questions]
        pairs = [
            (reason, claim) for claim, row in zip(claims, reasons, strict=True) for reason in row if reason
        ]
        scores = RememberingVerifier.around(models.verifier).score(pairs)  # repeated texts are scored once
        rows = iter(zip(scores.probabilities.tolist(), scores.usages, strict=True))
        outcomes, usages = [], []
        for drawn, row in zip(replies, reasons, strict=True):
            scored = {reason: next(rows) for reason in row if reason}
            outcomes.append(_checked([scored[reason][0] for reason in row if reason], row))
            spent = [*(reply.usage for reply in drawn), *(usage for _, usage in scored.values())]
            usages.append(sum(spent, Usage(pairs=len(scored))))
        return charged(outcomes, usages, time.perf_counter() - start)


def _checked(rows: Sequence[Sequence[float]], reasons: Sequence[str]) -> Outcome:
    details = {"texts": float(len(rows))}
    if not rows:
        return Outcome(None, problem=NOTHING_SAID, details=details, said=tuple(map(Said, reasons)))
    scores = iter(rows)
    said = tuple(Said(r, 1.0 - contradicted([next(scores)])) if r else Said(r) for r in reasons)
    p_true = 1.0 - contradicted(rows)
    return Outcome(p_true >= 0.5, p_true, details=details, said=said)
