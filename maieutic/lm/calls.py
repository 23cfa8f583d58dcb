"""The only calls of a language model: what it returns is checked before it is used.

A model may be a user's own class. Its mistakes are reported with the names of the class and of the method,
not as a traceback from where the result was used, and never as an answer.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from maieutic.errors import InputError, MaieuticError
from maieutic.lm.base import Completion, LanguageModel, OptionScores, Prompt, SamplingParams

__all__ = ["check_language_model", "choose", "sample"]

ROUNDING = 1e-3  # by which a probability, or the sum of some, may exceed 1

_log = logging.getLogger(__name__)


def check_language_model(lm: LanguageModel) -> None:
    """Refuse what is no language model.

    Raises:
        InputError: an attribute or a method is missing.
    """
    if isinstance(lm, str):
        problem = f"lm must be a LanguageModel, not the text {lm!r}"
        raise InputError(f"{problem}; load a model by name with Maieutic.load or load_lm", subject="lm")
    missing = [name for name in ("sample", "choose") if not callable(getattr(lm, name, None))]
    missing += [name for name in ("name", "prompts") if not isinstance(getattr(lm, name, None), str)]
    if missing:
        problem = f"lm must be a LanguageModel, but {type(lm).__name__} has no {', '.join(missing)}"
        raise InputError(f"{problem}; see maieutic.lm.base.LanguageModel", subject="lm")


def sample(
    lm: LanguageModel, prompts: Sequence[Prompt], n: int, params: SamplingParams
) -> list[list[Completion]]:
    """``lm.sample(prompts, n, params)``, checked; see :meth:`maieutic.lm.base.LanguageModel.sample`.

    Raises:
        MaieuticError: the result is not a list of n completions for each prompt, or a token count is < 0;
            ``subject`` is the class and the method.
    """
    start = time.perf_counter()
    result: Any = lm.sample(prompts, n, params)
    _log.debug("%s: %d × %d texts in %.2f s", lm.name, len(prompts), n, time.perf_counter() - start)
    where = f"{type(lm).__name__}.sample"
    if isinstance(result, str) or not isinstance(result, Sequence) or len(result) != len(prompts):
        raise _wrong(where, f"{_kind(result)} for {len(prompts)} prompts; it must return a row for each")
    for index, row in enumerate(result):
        if isinstance(row, str) or not isinstance(row, Sequence) or len(row) != n:
            raise _wrong(where, f"{_kind(row)} for prompt {index}; it must return {n} completions for each")
        for completion in row:
            _check_completion(completion, where)
    return [list(row) for row in result]


def choose(lm: LanguageModel, prompts: Sequence[Prompt], options: Sequence[str]) -> OptionScores:
    """``lm.choose(prompts, options)``, checked; see :meth:`maieutic.lm.base.LanguageModel.choose`.

    Raises:
        MaieuticError: the result is no OptionScores, the probabilities are not numbers in [0, 1] with a row
            for each prompt and a column for each option, a row of options that exclude each other exceeds 1,
            or there is not one token count ≥ 0 for each prompt; ``subject`` is the class and the method.
    """
    start = time.perf_counter()
    scores = lm.choose(prompts, options)
    _log.debug("%s: scores of %d prompts in %.2f s", lm.name, len(prompts), time.perf_counter() - start)
    where = f"{type(lm).__name__}.choose"
    if not isinstance(scores, OptionScores):
        raise _wrong(where, f"{_kind(scores)}; it must return OptionScores")
    shape = (len(prompts), len(options))
    try:
        table = np.asarray(scores.probabilities, dtype=np.float64)
    except (TypeError, ValueError):
        raise _wrong(where, f"probabilities that are no numbers; they must be float64 {shape}") from None
    if table.shape != shape and not (table.size == 0 and 0 in shape):
        raise _wrong(where, f"probabilities of shape {table.shape}; it must be (prompts, options) = {shape}")
    table = table.reshape(shape)
    if not np.isfinite(table).all():
        raise _wrong(where, "a probability that is not finite; each must be in [0, 1]")
    if table.size and (table.min() < 0 or table.max() > 1 + ROUNDING):
        value = table.min() if table.min() < 0 else table.max()
        raise _wrong(where, f"the probability {value:.6g}; each must be in [0, 1]")
    if _exclude_each_other(options) and table.size and table.sum(axis=1).max() > 1 + ROUNDING:
        total = table.sum(axis=1).max()
        raise _wrong(where, f"probabilities of one prompt that sum to {total:.6g}; at most 1 is possible")
    _check_counts(scores.prompt_tokens, len(prompts), where, "prompt_tokens")
    if scores.completion_tokens:
        _check_counts(scores.completion_tokens, len(prompts), where, "completion_tokens")
    return scores if table is scores.probabilities else replace(scores, probabilities=table)


def _exclude_each_other(options: Sequence[str]) -> bool:
    """Whether no option begins with another one (or is one twice)."""
    ordered = sorted(options)  # an option directly follows a prefix of it
    return not any(later.startswith(earlier) for earlier, later in pairwise(ordered))


def _check_completion(completion: object, where: str) -> None:
    if not isinstance(completion, Completion):
        raise _wrong(where, f"{_kind(completion)}; each text must be a Completion")
    if not isinstance(completion.text, str):
        raise _wrong(where, f"a Completion whose text is {_kind(completion.text)}; it must be a str")
    _check_counts((completion.prompt_tokens, completion.completion_tokens), 2, where, "token counts")


def _check_counts(counts: object, length: int, where: str, name: str) -> None:
    numbers = counts if isinstance(counts, Sequence) else None
    if numbers is None or len(numbers) != length:
        raise _wrong(where, f"{name} = {_kind(counts)}; it must have one number for each prompt")
    for count in numbers:
        if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < 0:
            raise _wrong(where, f"{name} with {count!r}; a count must be an integer ≥ 0")


def _wrong(where: str, what: str) -> MaieuticError:
    return MaieuticError(f"{where} returned {what}", subject=where)


def _kind(value: object) -> str:
    """What a value is, without its contents: it may hold a user's texts."""
    if value is None:
        return "None"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"a {type(value).__name__} of length {len(value)}"
    return f"a value of type {type(value).__name__}"
