"""Checks of a model before its first answer: properties that the engine relies on.

* Weights and logits are finite. A model that computes NaN is refused.
* A prompt has the same probabilities alone and in a batch. If left padding changes them (some recurrent
  families), only prompts of equal length share a batch. If equal lengths differ too, every prompt is read
  alone.
* The output layer can be computed in float32 (:mod:`maieutic.lm.local.output_layer`).
* The tokenizer keeps newlines, which end texts.

A failed check is logged in one line, with its consequence. Two checks concern single prompts and are made
elsewhere: a chat template keeps the whole prompt (:mod:`maieutic.lm.local.chat_template`), and a thought is
not mistaken for an answer (:mod:`maieutic.lm.local.thinking`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from enum import Enum

import torch

from maieutic.checkpoints.loading import Checkpoint
from maieutic.checkpoints.memory import TokenBudget
from maieutic.errors import ModelError
from maieutic.lm.local.decoding import Decoder
from maieutic.lm.local.tokens import Tokens, Vocabulary
from maieutic.lm.local.windows import trial_length

__all__ = ["TOLERANCES", "Batches", "check_model", "check_options", "run_batches"]

# Of the total variation between two next-token distributions in the trial; rounding stays below.
TOLERANCES = {torch.float32: 1e-4, torch.float16: 0.02, torch.bfloat16: 0.1}

SHORT = 5  # tokens of the trial's short row
_log = logging.getLogger(__name__)


class Batches(Enum):
    """Which prompts may share a batch."""

    ALL = "all prompts"
    EQUAL = "only prompts of equal length"
    ONE = "no prompts"


def check_model(checkpoint: Checkpoint, vocabulary: Vocabulary, decoder: Decoder) -> Batches:
    """Check a model once.

    Raises:
        ModelError: a weight or a logit is not a finite number.
    """
    _check_weights(checkpoint)
    if not vocabulary.keeps_newlines:
        _log.warning(
            "%s: its tokenizer loses newlines, so a text ends where the next example begins",
            checkpoint.name,
        )
    batches = _batches(checkpoint, decoder)
    if batches is not Batches.ALL:
        _log.warning(
            "%s: the probabilities of a prompt depend on its batch, so %s share a batch",
            checkpoint.name,
            batches.value,
        )
    return batches


def run_batches(
    budget: TokenBudget, batches: Batches, lengths: Sequence[int], work: Callable[[list[int]], None]
) -> None:
    """:meth:`maieutic.checkpoints.memory.TokenBudget.run` for the rows that may share a batch."""
    groups: dict[int, list[int]] = {}
    for row, length in enumerate(lengths):
        key = {Batches.ALL: 0, Batches.EQUAL: length, Batches.ONE: row}[batches]
        groups.setdefault(key, []).append(row)
    for rows in groups.values():

        def part(batch: list[int], rows: list[int] = rows) -> None:
            work([rows[index] for index in batch])

        budget.run([lengths[row] for row in rows], part)


def _check_weights(checkpoint: Checkpoint) -> None:
    for name, weight in checkpoint.model.named_parameters():
        if weight.dtype in TOLERANCES and weight.numel():
            ends = torch.stack(weight.detach().aminmax())
            if not ends.isfinite().all():
                raise ModelError(
                    f"{checkpoint.name} computes NaN: its weight {name} is not finite; download or save it "
                    "again, or use --dtype float32 where it was converted",
                    subject=checkpoint.name,
                )


def _batches(checkpoint: Checkpoint, decoder: Decoder) -> Batches:
    size = int(checkpoint.model.get_input_embeddings().weight.shape[0])
    length = trial_length(checkpoint.model, checkpoint.window)
    long = tuple((7 * place + 11) % size for place in range(length))
    short, other = long[2 : 2 + min(SHORT, length)], long[::-1]
    alone = [decoder.last_logits([row], exact=True)[0] for row in (short, long)]
    for row in alone:
        checkpoint.check_logits(row)
    tolerance = TOLERANCES.get(checkpoint.dtype, 0.1)
    decoder.output_layer.check(alone[1], decoder.last_logits([long], exact=False)[0], tolerance)
    if _gap(decoder.last_logits([short, long], exact=True), alone) <= tolerance:
        return Batches.ALL
    equal = _gap(decoder.last_logits([long, other], exact=True), alone[1:]) <= tolerance
    return Batches.EQUAL if equal else Batches.ONE


def check_options(
    vocabulary: Vocabulary, prompt: Tokens, continued: Sequence[Tokens], options: Sequence[str]
) -> None:
    """Check that the tokens of options stand for their texts, and tell them apart.

    Args:
        prompt: tokens of a prompt.
        continued: tokens of the prompt with each option.

    Raises:
        ModelError: the tokenizer writes an option otherwise (as an unknown token, say), or two alike.
    """
    for tokens, option in zip(continued, options, strict=True):
        text = vocabulary.decode(tokens[max(0, len(prompt) - len(option)) :])
        if not _squeezed(text).endswith(_squeezed(option)) or len(set(continued)) < len(set(options)):
            raise ModelError(
                f"the tokenizer of {vocabulary.name} reads the option {option!r} as {text[-40:]!r}, or like "
                "another one; use a prompt set with other options",
                subject=vocabulary.name,
            )


def _squeezed(text: str) -> str:
    return "".join(text.split()).casefold()


def _gap(together: torch.Tensor, alone: Sequence[torch.Tensor]) -> float:
    """The largest total variation between rows of a batch and the same rows alone."""
    gaps = [
        (one.float().softmax(-1) - other.float().softmax(-1)).abs().sum() / 2
        for one, other in zip(together, alone, strict=False)
    ]
    return float(torch.stack(gaps).max())
