"""Texts drawn by ``generate`` of Transformers, for models that our own decoding loop cannot drive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from transformers import (
    GenerationConfig,
    LogitsProcessorList,
    StoppingCriteriaList,
    TemperatureLogitsWarper,
    TopPLogitsWarper,
)

from maieutic.checkpoints.batching import padded, rows_by_length
from maieutic.checkpoints.internals import needs_equal_lengths
from maieutic.checkpoints.loading import Checkpoint
from maieutic.lm.base import SamplingParams
from maieutic.lm.local.decoding import Row
from maieutic.lm.local.sampling import EndsWith, InverseTransform
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
    checkpoint: Checkpoint, vocabulary: Vocabulary, rows: Sequence[Row], params: SamplingParams
) -> list[list[int]]:
    """The new tokens of each row. Shorter rows are left-padded, where the model allows it."""
    tokens = [row.tokens for row in rows]
    split = needs_equal_lengths(checkpoint.model)
    new: list[list[int]] = [[] for _ in rows]
    for places in rows_by_length(tokens) if split else [list(range(len(rows)))]:
        group = _generate_batch(checkpoint, vocabulary, [rows[place] for place in places], params)
        for place, text in zip(places, group, strict=True):
            new[place] = text
    return new


def _generate_batch(
    checkpoint: Checkpoint, vocabulary: Vocabulary, rows: Sequence[Row], params: SamplingParams
) -> list[list[int]]:
    tokens = [row.tokens for row in rows]
    ids = torch.from_numpy(padded(tokens, vocabulary.pad, "left")).to(checkpoint.device)
    mask = torch.from_numpy(padded([[1] * len(row) for row in tokens], 0, "left")).to(checkpoint.device)
    processors: list[Any] = [_Checked(checkpoint)]
    if params.temperature > 0:
        uniforms = np.stack([row.uniforms for row in rows if row.uniforms is not None])
        processors.append(TemperatureLogitsWarper(float(params.temperature)))
        processors += [TopPLogitsWarper(float(params.top_p))] if params.top_p < 1 else []
        on_device = torch.from_numpy(uniforms).to(ids.device)
        processors.append(InverseTransform(on_device, ids.shape[1]))
    newlines = torch.tensor(vocabulary.newlines, dtype=torch.long, device=ids.device)
    with torch.inference_mode():
        sequences = checkpoint.model.generate(
            input_ids=ids,
            attention_mask=mask,
            generation_config=GenerationConfig(
                max_new_tokens=params.max_new_tokens,
                do_sample=False,  # the processors leave one token to pick
                eos_token_id=vocabulary.ends or None,
                pad_token_id=vocabulary.pad,
            ),
            logits_processor=LogitsProcessorList(processors),
            stopping_criteria=StoppingCriteriaList([EndsWith(newlines)]),
        )
    new: list[list[int]] = sequences[:, ids.shape[1] :].tolist()
    return new
