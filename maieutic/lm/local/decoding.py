"""Batched forward passes: probabilities of the next tokens, and texts drawn token by token.

Rows are padded on the left. A :class:`maieutic.lm.local.prefixes.Prefix` holds the tokens that they share at
the start and that are not part of the rows. Several samples of one prompt read it once. Finished rows are
removed from the batch, so that long texts do not keep computing them.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from maieutic.checkpoints.batching import padded
from maieutic.checkpoints.internals import cache_parameter, new_cache
from maieutic.checkpoints.loading import Checkpoint
from maieutic.lm.base import FloatArray, SamplingParams
from maieutic.lm.local.output_layer import OutputLayer
from maieutic.lm.local.prefixes import Prefix, prefix_argument
from maieutic.lm.local.tokens import Tokens

__all__ = ["Decoder", "SampleRow", "Stop", "adjusted", "draw_tokens", "sample_uniforms"]

Stop = Callable[[Sequence[int]], bool]  # whether the last of a text's new tokens ends it

FINISHED_PER_REMOVAL = 8  # finished rows are removed once they are at least 1/8 of the batch


@dataclass(frozen=True, slots=True)
class SampleRow:
    """A text to draw: the tokens of its prompt, and its random numbers (None for greedy decoding)."""

    tokens: Tokens
    uniforms: FloatArray | None


@dataclass(slots=True)
class _Batch:
    """The state of a batch of rows; the first dimension of all tensors is the row.

    Attributes:
        logits: of the next token, float32 (rows, vocabulary).
        cache: keys and values of the rows' own tokens.
        mask: 1 for tokens, 0 for padding; int64 (rows, tokens).
        positions: of the last tokens, int64 (rows, 1).
    """

    logits: torch.Tensor
    cache: Any
    mask: torch.Tensor
    positions: torch.Tensor

    def select(self, rows: torch.Tensor) -> None:
        """Keep these rows, in this order; a row may occur several times."""
        self.logits, self.mask, self.positions = self.logits[rows], self.mask[rows], self.positions[rows]
        self.cache.batch_select_indices(rows)


class Decoder:
    """Runs the forward passes of a checkpoint.

    Args:
        pad: the padding token; it is always masked.
    """

    def __init__(self, checkpoint: Checkpoint, pad: int) -> None:
        self._checkpoint, self._model = checkpoint, checkpoint.model
        self._device, self._pad = checkpoint.device, pad
        self.output_layer = OutputLayer(checkpoint)
        self._cache = cache_parameter(self._model)
        self._accepted = inspect.signature(self._model.forward).parameters

    @property
    def can_draw(self) -> bool:
        """Whether :meth:`draw` supports this model."""
        return "position_ids" in self._accepted and new_cache(self._model) is not None

    def log_probabilities(self, rows: Sequence[Tokens], width: int, prefix: Prefix | None) -> torch.Tensor:
        """log P (nats) of every next token at the last ``width`` positions of each row.

        The output layer is computed in float32 (:mod:`maieutic.lm.local.output_layer`).

        Args:
            rows: the tokens after the prefix, at least ``width`` per row.

        Returns:
            float32 (rows, width, vocabulary).

        Raises:
            ModelError: the model computes NaN.
        """
        ids, mask = self._left_padded(rows)
        with torch.inference_mode():
            logits = self._forward(ids, mask, self._positions(mask, prefix), prefix, width, exact=True)
            logs = logits.float().log_softmax(dim=-1)
        self._checkpoint.check_logits(logs)
        return logs

    def last_logits(self, rows: Sequence[Tokens], *, exact: bool) -> torch.Tensor:
        """The logits after each row, in the number format in which they are computed; (rows, vocabulary).

        Args:
            exact: whether to compute the output layer in float32.
        """
        ids, mask = self._left_padded(rows)
        with torch.inference_mode():
            return self._forward(ids, mask, self._positions(mask, None), None, 1, exact=exact)[:, 0]

    def draw(
        self, rows: Sequence[SampleRow], params: SamplingParams, prefix: Prefix | None, stop: Stop
    ) -> list[list[int]]:
        """The new tokens of each row, with the token that ended it, if any.

        Args:
            rows: their tokens are those after the prefix.
            stop: the rule that ends a text.

        Raises:
            ModelError: the model computes NaN.
        """
        texts: list[list[int]] = [[] for _ in rows]
        with torch.inference_mode():
            batch = self._read(rows, prefix)
            uniforms = self._uniforms(rows)
            active = list(range(len(rows)))  # the row in each line of the batch
            unfinished = [True] * len(rows)
            for step in range(params.max_new_tokens):
                tokens = self._pick(batch.logits, None if uniforms is None else uniforms[:, step], params)
                for row, token in zip(active, tokens.tolist(), strict=True):
                    if unfinished[row]:
                        texts[row].append(token)
                        unfinished[row] = not stop(texts[row])
                remaining = [line for line, row in enumerate(active) if unfinished[row]]
                if not remaining or step + 1 == params.max_new_tokens:
                    break
                if (len(active) - len(remaining)) * FINISHED_PER_REMOVAL >= len(active):
                    lines = torch.tensor(remaining, device=self._device)
                    batch.select(lines)
                    tokens = tokens[lines]
                    uniforms = None if uniforms is None else uniforms[lines]
                    active = [active[line] for line in remaining]
                self._step(batch, tokens, prefix)
        return texts

    def _read(self, rows: Sequence[SampleRow], prefix: Prefix | None) -> _Batch:
        """The state after the prompts; each distinct prompt is read once."""
        lines = {tokens: line for line, tokens in enumerate(dict.fromkeys(row.tokens for row in rows))}
        ids, mask = self._left_padded(list(lines))
        positions = self._positions(mask, prefix)
        cache = new_cache(self._model)
        assert cache is not None
        logits = self._forward(ids, mask, positions, prefix, 1, cache)[:, 0].float()
        self._checkpoint.check_logits(logits)
        batch = _Batch(logits, cache, mask, positions[:, -1:])
        if len(lines) < len(rows):
            batch.select(torch.tensor([lines[row.tokens] for row in rows], device=self._device))
        return batch

    def _step(self, batch: _Batch, tokens: torch.Tensor, prefix: Prefix | None) -> None:
        """Append one token to each row."""
        batch.mask = torch.cat([batch.mask, torch.ones_like(batch.mask[:, :1])], dim=1)
        batch.positions = batch.positions + 1
        ids = tokens[:, None]
        logits = self._forward(ids, batch.mask, batch.positions, prefix, 1, batch.cache)
        batch.logits = logits[:, 0].float()

    def _forward(
        self,
        ids: torch.Tensor,
        mask: torch.Tensor,
        positions: torch.Tensor,
        prefix: Prefix | None,
        width: int,
        cache: Any = None,
        *,
        exact: bool = False,
    ) -> torch.Tensor:
        """The logits at the last ``width`` positions; (rows, width, vocabulary).

        Args:
            exact: whether to compute the output layer in float32.
        """
        extras = {"position_ids": positions, self._cache: cache, "logits_to_keep": width}
        with self.output_layer.in_float32() if exact else nullcontext():
            output = self._model(
                input_ids=ids,
                attention_mask=mask,
                use_cache=cache is not None,
                **{name: value for name, value in extras.items() if name in self._accepted},
                **prefix_argument(prefix, positions),
            )
        logits: torch.Tensor = output.logits[:, -width:]
        return logits

    def _positions(self, mask: torch.Tensor, prefix: Prefix | None) -> torch.Tensor:
        """Positions of left-padded tokens, from the start of the prefix; int64, shaped like the mask."""
        start = len(prefix.tokens) if prefix else 0
        return (mask.cumsum(dim=1) + (start - 1)).clamp(min=0)

    def _pick(
        self, logits: torch.Tensor, uniforms: torch.Tensor | None, params: SamplingParams
    ) -> torch.Tensor:
        """The next token of each row; int64 (rows,)."""
        if uniforms is None:
            return logits.argmax(dim=-1)
        return draw_tokens(adjusted(logits, params), uniforms)

    def _uniforms(self, rows: Sequence[SampleRow]) -> torch.Tensor | None:
        numbers = [row.uniforms for row in rows if row.uniforms is not None]
        return torch.from_numpy(np.stack(numbers)).to(self._device) if numbers else None

    def _left_padded(self, rows: Sequence[Tokens]) -> tuple[torch.Tensor, torch.Tensor]:
        """Token ids and attention mask of a batch, both int64 (rows, longest row)."""
        ids = torch.from_numpy(padded(rows, self._pad, "left"))
        mask = torch.from_numpy(padded([[1] * len(row) for row in rows], 0, "left"))
        return ids.to(self._device), mask.to(self._device)


def sample_uniforms(params: SamplingParams, text: str, index: int) -> FloatArray:
    """The random numbers of one sample of a prompt's text; in [0, 1), float64 (max_new_tokens,)."""
    key = repr((params.seed, index, text)).encode("utf-8", "surrogatepass")
    digest = hashlib.blake2b(key, digest_size=16).digest()
    generator = np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "little")))
    return generator.random(params.max_new_tokens)


def adjusted(logits: torch.Tensor, params: SamplingParams) -> torch.Tensor:
    """The logits divided by the temperature, and −∞ outside of the nucleus; float (rows, vocabulary).

    The nucleus are the likeliest tokens whose probabilities add up to ``top_p``, at least one (Holtzman et
    al. 2020, arXiv 1904.09751).
    """
    scores = logits / params.temperature
    if params.top_p >= 1:
        return scores
    ascending, order = torch.sort(scores, descending=False)
    outside = ascending.softmax(dim=-1).cumsum(dim=-1) <= 1 - params.top_p
    outside[..., -1] = False
    return scores.masked_fill(outside.scatter(1, order, outside), -torch.inf)


def draw_tokens(scores: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
    """Draw one token for each row by inverse transform sampling.

    Args:
        scores: float32 (rows, vocabulary); −∞ for tokens that must not be drawn.
        numbers: in [0, 1), float64 (rows,).

    Returns:
        int64 (rows,).
    """
    weights = (scores - scores.amax(dim=-1, keepdim=True)).exp()
    # float64: the rounding error of a sum of 150,000 float32 terms exceeds the weight of the rarest tokens.
    cdf = weights.cumsum(dim=-1, dtype=torch.float64)
    # The first token whose CDF exceeds the target, so that a token of probability 0 is never drawn.
    chosen = torch.searchsorted(cdf, numbers[:, None] * cdf[:, -1:], right=True)[:, 0]
    return chosen.clamp(max=cdf.shape[1] - 1)
