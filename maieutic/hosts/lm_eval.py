"""lm-evaluation-harness: a model that answers true/false and yes/no tasks by P(true) of maieutic.

A task gives one statement or question as its context and two continuations, such as " true" and " false".
Their log-likelihoods are ln P(true) and ln P(false) of the statement after reasoning. Other requests are
refused: what is generated or rolled over has no truth value, and a context of several lines (few-shot
examples, a passage) would be judged without what stands around the question.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from maieutic.bundled import AGORA
from maieutic.errors import InputError
from maieutic.hosts import needs, truth_of
from maieutic.pipeline import Maieutic

try:
    from lm_eval.api.instance import Instance
    from lm_eval.api.model import LM
    from lm_eval.api.registry import register_model
except ImportError:
    raise needs("lm-eval", "an lm-evaluation-harness model") from None

__all__ = ["MaieuticLM", "statement_of"]

SUREST = 1e-6  # least probability of a continuation; where P(true) is unknown, that of the other answer
_LABEL = re.compile(r"(?:question|statement|claim|q)\s*:\s*", re.IGNORECASE)
_CUE = re.compile(r"(?:answer|a)\s*:|\(?(?:true or false|yes or no)\)?\s*[?:.]?", re.IGNORECASE)


@register_model("maieutic")
class MaieuticLM(LM):
    """Answers ``loglikelihood`` requests; ``lm_eval.simple_evaluate(model=MaieuticLM(maieutic), …)``.

    Args:
        maieutic: what judges; by default that of the named models.
        lm, nli: names of models, as for :meth:`maieutic.Maieutic.load`.
    """

    def __init__(
        self, maieutic: Maieutic | None = None, lm: str = AGORA, nli: str = AGORA, **_harness: object
    ) -> None:
        super().__init__()
        self._maieutic = maieutic or Maieutic.load(lm, nli)

    def loglikelihood(self, requests: Sequence[Instance]) -> list[tuple[float, bool]]:
        """(ln P, whether it is the likelier one) of each continuation; each statement is judged once.

        Raises:
            InputError: a request is none about the truth of one statement or question.
        """
        asked = [(statement_of(context), _truth(word)) for context, word in (r.args for r in requests)]
        statements = list(dict.fromkeys(statement for statement, _ in asked))
        answers = dict(zip(statements, self._maieutic.ask_many(statements), strict=True))
        results = []
        for statement, truth in asked:
            p = answers[statement].p_true
            p = float(answers[statement].answer) if p is None else p
            chance = p if truth else 1.0 - p
            results.append((math.log(min(max(chance, SUREST), 1.0 - SUREST)), (p >= 0.5) == truth))
        return results

    def loglikelihood_rolling(self, requests: Sequence[Instance]) -> NoReturn:
        """Refused."""
        raise _refusal("loglikelihood_rolling", requests)

    def generate_until(self, requests: Sequence[Instance]) -> NoReturn:
        """Refused."""
        raise _refusal("generate_until", requests)


def statement_of(context: str) -> str:
    """The statement or question of a context, without labels ("Question:") and cues ("Answer:").

    Raises:
        InputError: there is no line, or more than one.
    """
    lines = (line.strip() for line in context.splitlines())
    left = [_LABEL.sub("", line, count=1) if _LABEL.match(line) else line for line in lines]
    left = [line for line in left if line and not _CUE.fullmatch(line)]
    if len(left) != 1:
        raise InputError(
            f"maieutic judges one statement or question, not {len(left)} lines: {context[:80]!r}; "
            "use num_fewshot: 0 and a doc_to_text without a passage",
            subject="doc_to_text",
        )
    return left[0]


def _truth(continuation: str) -> bool:
    truth = truth_of(continuation)
    if truth is None:
        raise InputError(
            f"maieutic answers true, false, yes or no, not {continuation[:80]!r}; change doc_to_choice",
            subject="doc_to_choice",
        )
    return truth


def _refusal(kind: str, requests: Sequence[Any]) -> InputError:
    problem = f"maieutic answers no {kind} requests ({len(requests)} given)"
    return InputError(f"{problem}; use a task with output_type: multiple_choice", subject="output_type")
