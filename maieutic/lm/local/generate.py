"""Draws texts with ``generate`` of Transformers, for models that the decoding loop does not support."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from transformers import (
    GenerationConfig,
    LogitsProcessorList,
    StoppingCriteriaList,
)

from maieutic.checkpoints.batching import padded
from maieutic.checkpoints.loading import Checkpoint
from maieutic.lm.base import SamplingParams
from maieutic.lm.local.decoding import SampleRow, Stop, adjusted, draw_tokens
from maieutic.lm.local.tokens import Vocabulary

__all__ = ["generate"]


class _Checked:
    """A logits processor that refuses what is no number."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint

    def __call__(self, _input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        self.checkpoint.check_logits(scores)
        return scores


def generate(
    checkpoint: Checkpoint,
    vocabulary: Vocabulary,
    rows: Sequence[SampleRow],
    params: SamplingParams,
    stop: Stop,
) -> list[list[int]]:
    """The new tokens of each row, with the token that ended it, if any; drawn as one left-padded batch."""
    tokens = [row.tokens for row in rows]
    ids = torch.from_numpy(padded(tokens, vocabulary.pad, "left")).to(checkpoint.device)
    mask = torch.from_numpy(padded([[1] * len(row) for row in tokens], 0, "left")).to(checkpoint.device)
    processors: list[Any] = [_Checked(checkpoint)]
    if params.temperature > 0:
        uniforms = np.stack([row.uniforms for row in rows if row.uniforms is not None])
        on_device = torch.from_numpy(uniforms).to(ids.device)
        processors.append(_InverseTransform(on_device, ids.shape[1], params))
    # The model's own defaults (temperature, penalties, forced tokens …) must not affect sampling.
    checkpoint.model.generation_config = GenerationConfig()
    with torch.inference_mode():
        sequences = checkpoint.model.generate(
            input_ids=ids,
            attention_mask=mask,
            generation_config=GenerationConfig(
                max_new_tokens=params.max_new_tokens,
                do_sample=False,  # the last processor leaves one token
                pad_token_id=vocabulary.pad,
            ),
            logits_processor=LogitsProcessorList(processors),
            stopping_criteria=StoppingCriteriaList([_EndsBy(stop, ids.shape[1])]),
        )
    new: list[list[int]] = sequences[:, ids.shape[1] :].tolist()
    # Finished rows are padded until the last one ends.
    lengths = [next((n for n in range(1, len(row)) if stop(row[:n])), len(row)) for row in new]
    return [row[:length] for row, length in zip(new, lengths, strict=True)]


class _InverseTransform:
    """A logits processor that draws one token per row and excludes all others."""

    def __init__(self, uniforms: torch.Tensor, prompt_length: int, params: SamplingParams) -> None:
        self.uniforms = uniforms  # float64 (rows, steps)
        self.prompt_length = prompt_length
        self.params = params

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        step = input_ids.shape[1] - self.prompt_length
        chosen = draw_tokens(adjusted(scores, self.params), self.uniforms[:, step])[:, None]
        return torch.full_like(scores, -torch.inf).scatter(1, chosen, 0.0)


class _EndsBy:
    """A stopping criterion: a row is finished when a rule says so of its new tokens."""

    def __init__(self, stop: Stop, prompt_length: int) -> None:
        self.stop = stop
        self.prompt_length = prompt_length
        self.done: list[bool] = []

    def __call__(self, input_ids: torch.Tensor, _scores: Any, **_: Any) -> torch.Tensor:
        new = input_ids[:, self.prompt_length :].tolist()
        before = self.done or [False] * len(new)
        self.done = [done or self.stop(row) for done, row in zip(before, new, strict=True)]
        return torch.tensor(self.done, dtype=torch.bool, device=input_ids.device)
