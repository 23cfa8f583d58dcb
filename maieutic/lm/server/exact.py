"""Exact P(option | prompt), by the first way that works for a prompt and its options.

Options that are single tokens are scored together (:mod:`maieutic.lm.server.labels`), other options one by
one (:mod:`maieutic.lm.server.scoring`). A prompt for which a request is rejected, or a reply has another form
than expected, is left to the next way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from maieutic.lm.base import Prompt
from maieutic.lm.server.labels import SplitTexts, TokenizedPrompt
from maieutic.lm.server.request import Request
from maieutic.lm.server.sending import Sender

__all__ = ["ExactScores", "exact_scores"]


@dataclass(frozen=True, slots=True)
class ExactScores:
    """The probabilities of options after one prompt.

    Attributes:
        probabilities: P(option | prompt) in [0, 1] by option.
        prompt_tokens: of the prompt without an option.
    """

    probabilities: Mapping[str, float]
    prompt_tokens: int


def exact_scores(
    sender: Sender, prompts: Sequence[Prompt], options: Sequence[str]
) -> dict[Prompt, ExactScores]:
    """The scores of the prompts whose options can be scored exactly.

    Args:
        prompts, options: without repetition.

    Raises:
        ModelError: the server does not support a prompt's format.
        ServerError: the server fails.
    """
    scores = _label_scores(sender, prompts, options)
    others = [prompt for prompt in prompts if prompt not in scores]
    return scores | _continuation_scores(sender, others, options)


def _label_scores(
    sender: Sender, prompts: Sequence[Prompt], options: Sequence[str]
) -> dict[Prompt, ExactScores]:
    """The scores of prompts whose options are different single tokens."""
    model = sender.writer.model
    able = [prompt for prompt in prompts if sender.writer.endpoint(prompt).labels]
    splits = sender.try_send([SplitTexts.request(model, prompt.text(), options) for prompt in able])
    tokenized: dict[Prompt, tuple[TokenizedPrompt, list[int]]] = {}
    for prompt, reply in zip(able, splits, strict=True):
        split = TokenizedPrompt.read(reply, options)
        labels = [label for label in split.labels if label is not None] if split else []
        if split and len(set(labels)) == len(options):
            tokenized[prompt] = split, labels
    replies = sender.try_send(
        [split.request(model, labels, prompt.kind) for prompt, (split, labels) in tokenized.items()]
    )
    scores: dict[Prompt, ExactScores] = {}
    for (prompt, (split, _)), reply in zip(tokenized.items(), replies, strict=True):
        chances = reply.probabilities(len(options)) if reply else None
        if chances is not None:
            table = dict(zip(options, chances, strict=True))
            scores[prompt] = ExactScores(table, len(split.tokens))
    return scores


def _continuation_scores(
    sender: Sender, prompts: Sequence[Prompt], options: Sequence[str]
) -> dict[Prompt, ExactScores]:
    """The scores of prompts that have a token boundary before each option."""
    writer = sender.writer
    able = [prompt for prompt in prompts if writer.endpoint(prompt).scoring is not None]
    requests = [
        Request(writer.endpoint(prompt).path, writer.scored(prompt, option), kind=prompt.kind)
        for prompt in able
        for option in options
    ]
    replies = iter(sender.try_send(requests))
    scores: dict[Prompt, ExactScores] = {}
    for prompt in able:
        scoring = writer.endpoint(prompt).scoring
        assert scoring is not None
        before = prompt.text() if prompt.format == "text" else prompt.opening
        own = [(option, next(replies)) for option in options]
        results = {option: reply and scoring.continuation(reply, before, option) for option, reply in own}
        known = {option: result for option, result in results.items() if result is not None}
        if known and len(known) == len(results):
            chances = {option: result.probability for option, result in known.items()}
            scores[prompt] = ExactScores(chances, next(iter(known.values())).prompt_tokens)
    return scores
