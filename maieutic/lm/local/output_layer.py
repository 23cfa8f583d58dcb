"""The output layer in float32, so that half precision does not round options' logits to the same number.

In bfloat16 a logit of 20 is a multiple of 1/8: of 100 statements judged by a 0.5B model, 13 came out at
exactly 0.5. The hidden state is taken as it is; only the product with the output layer's weights, and what
the model does with it (scaling, soft caps), is computed in float32.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from maieutic.checkpoints.loading import Checkpoint

__all__ = ["OutputLayer"]

CHUNK = 16_384  # rows of the weights converted at a time, so that no second copy of them is kept

_log = logging.getLogger(__name__)


class OutputLayer:
    """The output layer of a model, which computes in float32 on demand.

    A model in float32 needs nothing done. For others a hook on the layer replaces its output; what model
    code does with the output afterwards is left to it.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        layer = checkpoint.model.get_output_embeddings()
        self._name, self._dtype = checkpoint.name, checkpoint.dtype
        self._layer = layer if isinstance(layer, nn.Linear) else None
        self._wanted = threading.local()  # other threads may draw texts from the same model
        if self._layer is not None and checkpoint.dtype != torch.float32:
            self._layer.register_forward_hook(self._hook)

    @contextmanager
    def in_float32(self) -> Iterator[None]:
        """In this thread, logits are computed in float32."""
        self._wanted.now = True
        try:
            yield
        finally:
            self._wanted.now = False

    def check(self, logits: torch.Tensor, own: torch.Tensor, tolerance: float) -> None:
        """Compare a trial's logits in float32 with the model's own; where they differ, use these, and log it.

        Args:
            logits, own: as the model returns them with and without :meth:`in_float32`, of the same shape.
            tolerance: of a probability.
        """
        if self._dtype == torch.float32:
            return
        gap = (logits.float().softmax(-1) - own.float().softmax(-1)).abs().max().item()
        if self._layer is None or logits.dtype != torch.float32 or not gap <= tolerance:
            self._layer = None
            _log.warning(
                "%s: probabilities are read from logits in %s, as its output layer cannot be computed in "
                "float32; close options may come out equal",
                self._name,
                str(self._dtype).removeprefix("torch."),
            )

    def _hook(self, layer: nn.Linear, given: tuple[Any, ...], output: torch.Tensor) -> torch.Tensor:
        if self._layer is None or not getattr(self._wanted, "now", False):
            return output
        hidden = given[0].float()
        biases = [None] if layer.bias is None else torch.split(layer.bias.float(), CHUNK)
        chunks = torch.split(layer.weight, CHUNK)
        parts = [
            nn.functional.linear(hidden, chunk.float(), bias)
            for chunk, bias in zip(chunks, biases * (len(chunks) if layer.bias is None else 1), strict=True)
        ]
        return torch.cat(parts, dim=-1)
