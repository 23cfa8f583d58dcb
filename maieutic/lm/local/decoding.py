"""Forward passes of many prompts: what comes next, and how texts go on.

Rows are padded on the left. What they share at the start comes as a
:class:`maieutic.lm.local.prefixes.Prefix` and is not part of a row. Texts that are drawn
several times from one prompt read it once. Finished texts leave the batch, so that long ones do not keep the
others waiting.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from transformers import TemperatureLogitsWarper, TopPLogitsWarper

from maieutic.checkpoints.batching import padded, rows_by_length
from maieutic.checkpoints.internals import needs_equal_lengths, new_cache
from maieutic.checkpoints.loading import Checkpoint
from maieutic.lm.base import FloatArray, SamplingParams
from maieutic.lm.local.prefixes import Prefix, prefix_argument
from maieutic.lm.local.sampling import draw
from maieutic.lm.local.tokens import Tokens

__all__ = ["Decoder", "Row"]

LEAVE = 8  # finished rows leave when they are at least one in so many


@dataclass(frozen=True, slots=True)
class Row:
    """One text to draw: the tokens of its prompt and its random numbers (None for greedy decoding)."""

    tokens: Tokens
    uniforms: FloatArray | None


@dataclass(slots=True)
class _Batch:
    """Rows as far as they are read. All tensors have the rows as their first dimension.

    Attributes:
        logits: of the next token, float32 (rows, vocabulary).
        cache: keys and values of the rows' own tokens.
        mask: which of these are no padding, int64 (rows, tokens).
        positions: of the last tokens, int64 (rows, 1).
    """

    logits: torch.Tensor
    cache: Any
    mask: torch.Tensor
    positions: torch.Tensor

    def select(self, rows: torch.Tensor) -> None:
        """Keep these rows, in this order; a row may be taken several times."""
        self.logits, self.mask, self.positions = self.logits[rows], self.mask[rows], self.positions[rows]
        self.cache.batch_select_indices(rows)


class Decoder:
    """A checkpoint's forward passes.

    Args:
        pad: the token that fills short rows; it is always masked.
        stops: the tokens that end a text.
    """

    def __init__(self, checkpoint: Checkpoint, pad: int, stops: Sequence[int]) -> None:
        self._checkpoint = checkpoint
        self._model, self._device, self._pad = checkpoint.model, checkpoint.device, pad
        size = int(self._model.get_input_embeddings().weight.shape[0])
        self._stops = torch.zeros(size, dtype=torch.bool, device=self._device)
        self._stops[list(stops)] = True
        self._accepted = inspect.signature(self._model.forward).parameters
        self._unpadded = needs_equal_lengths(self._model)

    @property
    def draws(self) -> bool:
        """Whether :meth:`draw` can drive this model."""
        return "position_ids" in self._accepted and new_cache(self._model) is not None

    def log_probabilities(self, rows: Sequence[Tokens], width: int, prefix: Prefix | None) -> torch.Tensor:
        """log P (nats) of every next token at the last ``width`` positions of each row.

        Args:
            rows: what follows the prefix, at least ``width`` tokens each.

        Returns:
            float32 (rows, width, vocabulary).
        """
        groups = rows_by_length(rows) if self._unpadded else [list(range(len(rows)))]
        with torch.inference_mode():
            parts = []
            for group in groups:
                ids, mask = self._left_padded([rows[place] for place in group])
                parts.append(self._forward(ids, mask, self._positions(mask, prefix), prefix, width))
            logits = parts[0]
            if len(parts) > 1:
                order = np.argsort(np.concatenate(groups))
                logits = torch.cat(parts)[torch.from_numpy(order).to(self._device)]
            return logits.log_softmax(dim=-1)

    def draw(self, rows: Sequence[Row], params: SamplingParams, prefix: Prefix | None) -> list[list[int]]:
        """The new tokens of each row, a stop included if it came to one.

        Args:
            rows: what follows the prefix.
        """
        texts: list[list[int]] = [[] for _ in rows]
        with torch.inference_mode():
            batch = self._read(rows, prefix)
            uniforms = self._uniforms(rows)
            live = list(range(len(rows)))  # the row in each line of the batch
            open_ = [True] * len(rows)
            for step in range(params.max_new_tokens):
                tokens = self._pick(batch.logits, None if uniforms is None else uniforms[:, step], params)
                stopped = self._stops[tokens].tolist()
                for row, token, stop in zip(live, tokens.tolist(), stopped, strict=True):
                    if open_[row]:
                        texts[row].append(token)
                        open_[row] = not stop
                going = [line for line, row in enumerate(live) if open_[row]]
                if not going or step + 1 == params.max_new_tokens:
                    break
                if (len(live) - len(going)) * LEAVE >= len(live):
                    kept = torch.tensor(going, device=self._device)
                    batch.select(kept)
                    tokens = tokens[kept]
                    uniforms = None if uniforms is None else uniforms[kept]
                    live = [live[line] for line in going]
                self._step(batch, tokens, prefix)
        return texts

    def _read(self, rows: Sequence[Row], prefix: Prefix | None) -> _Batch:
        """The batch after its prompts, each distinct one read once."""
        places = {tokens: place for place, tokens in enumerate(dict.fromkeys(row.tokens for row in rows))}
        ids, mask = self._left_padded(list(places))
        positions = self._positions(mask, prefix)
        cache = new_cache(self._model)
        assert cache is not None
        logits = self._forward(ids, mask, positions, prefix, 1, cache)[:, 0]
        batch = _Batch(logits, cache, mask, positions[:, -1:])
        if len(places) < len(rows):
            batch.select(torch.tensor([places[row.tokens] for row in rows], device=self._device))
        return batch

    def _step(self, batch: _Batch, tokens: torch.Tensor, prefix: Prefix | None) -> None:
        """Read one more token of each row."""
        batch.mask = torch.cat([batch.mask, torch.ones_like(batch.mask[:, :1])], dim=1)
        batch.positions = batch.positions + 1
        ids = tokens[:, None]
        batch.logits = self._forward(ids, batch.mask, batch.positions, prefix, 1, batch.cache)[:, 0]

    def _forward(
        self,
        ids: torch.Tensor,
        mask: torch.Tensor,
        positions: torch.Tensor,
        prefix: Prefix | None,
        width: int,
        cache: Any = None,
    ) -> torch.Tensor:
        """The logits at the last ``width`` positions; float32 (rows, width, vocabulary)."""
        extras = {"position_ids": positions, "past_key_values": cache, "logits_to_keep": width}
        output = self._model(
            input_ids=ids,
            attention_mask=mask,
            use_cache=cache is not None,
            **{name: value for name, value in extras.items() if name in self._accepted},
            **prefix_argument(prefix, positions),
        )
        logits: torch.Tensor = output.logits[:, -width:].float()
        self._checkpoint.check_logits(logits)
        return logits

    def _positions(self, mask: torch.Tensor, prefix: Prefix | None) -> torch.Tensor:
        """Positions of left-padded tokens, those of the prefix counted; int64, as the mask."""
        start = len(prefix.tokens) if prefix else 0
        return (mask.cumsum(dim=1) + (start - 1)).clamp(min=0)

    def _pick(
        self, logits: torch.Tensor, uniforms: torch.Tensor | None, params: SamplingParams
    ) -> torch.Tensor:
        """The next token of each row; int64 (rows,)."""
        if uniforms is None:
            return logits.argmax(dim=-1)
        scores = TemperatureLogitsWarper(float(params.temperature))(None, logits)
        if params.top_p < 1:
            scores = TopPLogitsWarper(float(params.top_p))(None, scores)
        return draw(scores, uniforms)

    def _uniforms(self, rows: Sequence[Row]) -> torch.Tensor | None:
        drawn = [row.uniforms for row in rows if row.uniforms is not None]
        return torch.from_numpy(np.stack(drawn)).to(self._device) if drawn else None

    def _left_padded(self, rows: Sequence[Tokens]) -> tuple[torch.Tensor, torch.Tensor]:
        """Token ids and attention mask of a batch, both int64 (rows, longest row)."""
        ids = torch.from_numpy(padded(rows, self._pad, "left"))
        mask = torch.from_numpy(padded([[1] * len(row) for row in rows], 0, "left"))
        return ids.to(self._device), mask.to(self._device)
