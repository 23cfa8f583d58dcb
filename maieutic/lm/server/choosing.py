"""P(option | prompt) from a server: by scoring the options, or from the likeliest first tokens."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from maieutic.errors import InputError, ModelError
from maieutic.lm.base import OptionScores, Prompt
from maieutic.lm.server.counting import TokenCounter
from maieutic.lm.server.exact import exact_scores
from maieutic.lm.server.replies import FirstToken, Reply, SharedStart, first_tokens, option_probabilities
from maieutic.lm.server.sending import Sender, quoted

__all__ = ["choose"]

_Pending = tuple[Prompt, str, list[str]]  # a prompt, the start of its continuation, options with that start
_log = logging.getLogger(__name__)


def choose(
    sender: Sender, counter: TokenCounter, prompts: Sequence[Prompt], options: Sequence[str]
) -> OptionScores:
    """P(option | prompt); see :meth:`maieutic.lm.base.LanguageModel.choose`.

    Prompts whose options cannot be scored exactly are read from the likeliest first tokens.

    Raises:
        InputError: a chat server cannot tell two options apart.
        ContextLengthError: the server reports that a prompt does not fit the context window.
        ModelError: the server does not support the prompt's format, or gives no probabilities for it.
        ServerError: the server fails.
    """
    distinct = list(dict.fromkeys(prompts))
    table = {prompt: dict.fromkeys(options, 1.0) for prompt in distinct}
    lengths: dict[Prompt, int] = {}
    for prompt, scores in exact_scores(sender, distinct, list(dict.fromkeys(options))).items():
        table[prompt] = dict(scores.probabilities)
        lengths[prompt] = scores.prompt_tokens
    others = [prompt for prompt in distinct if prompt not in lengths]
    # (prompt, start of its continuation, options with that start)
    pending = [(prompt, "", list(table[prompt])) for prompt in others]
    while pending:
        extended = [replace(prompt, opening=prompt.opening + start) for prompt, start, _ in pending]
        tokens, counts = _first_tokens(sender, counter, extended)
        for (prompt, _, _), count in zip(pending, counts, strict=True):
            lengths.setdefault(prompt, count)  # without a continuation
        pending = _multiply(table, pending, tokens)
        _check_distinct(sender, pending)
    rows = [[table[prompt][option] for option in options] for prompt in prompts]
    probabilities = np.array(rows, dtype=np.float64).reshape(len(prompts), len(options))
    return OptionScores(probabilities, tuple(lengths[prompt] for prompt in prompts))


def _first_tokens(
    sender: Sender, counter: TokenCounter, prompts: Sequence[Prompt]
) -> tuple[list[list[FirstToken]], list[int]]:
    """The likeliest first tokens after each prompt, and the number of tokens of the prompt."""
    tokens: list[list[FirstToken]] = [[] for _ in prompts]
    replies: list[Reply] = [Reply([])] * len(prompts)
    for temperature in (1.0, 0.0):
        missing = [index for index, listed in enumerate(tokens) if not listed]
        owners = [prompts[index] for index in missing]
        bodies = [sender.writer.first_token(prompt, temperature) for prompt in owners]
        for index, reply in zip(missing, sender.send(owners, bodies), strict=True):
            tokens[index] = first_tokens(reply, sender.writer.endpoint(prompts[index]).top)
            replies[index] = reply
    sender.check_thoughts(replies)
    missing = [index for index, listed in enumerate(tokens) if not listed]
    if missing and len(missing) == len(prompts):
        problem = f"{sender.name} gave no probabilities for {quoted(prompts[0])}; try other prompts"
        raise ModelError(f"{problem} (--prompts)", subject=sender.name)
    if missing:
        _log.warning(
            "%s gave no probabilities for %d of %d prompts; their options count as 0",
            sender.name,
            len(missing),
            len(prompts),
        )
    return tokens, counter.charged("prompt", prompts, replies)


def _check_distinct(sender: Sender, pending: Sequence[_Pending]) -> None:
    for prompt, start, options in pending:
        if not sender.writer.continues_opening(prompt):
            names = " and ".join(map(repr, options))
            raise InputError(
                f"the options {names} start with the same token {start!r}, from which {sender.name} cannot "
                "continue; choose options that start differently",
                subject="options",
            )


def _multiply(
    table: Mapping[Prompt, dict[str, float]],
    pending: Sequence[_Pending],
    tokens: Sequence[Sequence[FirstToken]],
) -> list[_Pending]:
    """Multiply the options' probabilities by those of their next tokens; return what is still to extend."""
    following: dict[tuple[Prompt, str], list[str]] = {}
    for (prompt, start, options), listed in zip(pending, tokens, strict=True):
        if not listed:  # the model judged nothing
            table[prompt].update(dict.fromkeys(options, 0.0))
            continue
        results = option_probabilities(listed, [option[len(start) :] for option in options])
        for option, result in zip(options, results, strict=True):
            if isinstance(result, SharedStart):
                table[prompt][option] *= result.probability
                following.setdefault((prompt, start + result.text), []).append(option)
            else:
                table[prompt][option] *= result
    return [(prompt, start, options) for (prompt, start), options in following.items()]
