"""The few-shot part of prompts, read once: its keys and values are attended to by every row of a batch.

Transformers can start from a cache, but copies it for every row and again for every token. Here the
prefix stays one block: queries of all rows meet its keys in one matrix product, those of their own
tokens in another, and one softmax spans the two. It is an attention function in Transformers' registry,
and gets its prefix as a keyword argument of the model's forward call, which model code hands down. A
model that does not is found out by a trial, in :meth:`Prefixes.open`, and is run without; so is every model
where Transformers no longer has the names of :mod:`maieutic.checkpoints.internals`.
"""

from __future__ import annotations

import inspect
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from maieutic.checkpoints.internals import (
    attention_of,
    cache_parameter,
    new_cache,
    record_all,
    register_attention,
)
from maieutic.checkpoints.loading import Checkpoint
from maieutic.lm.local.tokens import Tokens
from maieutic.lm.local.windows import trial_length

__all__ = ["Prefix", "Prefixes", "prefix_argument"]

STORE_BYTES = 2**30  # of keys and values kept between calls
TOLERANCES = {torch.float32: 1e-4, torch.float16: 0.02, torch.bfloat16: 0.1}  # of a probability, in the trial

_NAME = "shared_prefix"
_UNKNOWN = ("softcap", "s_aux", "position_bias")  # of some models' attention, not computed here
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Prefix:
    """The tokens at the start of many prompts, and what attention needs of them.

    Attributes:
        layers: for each layer keys and values, both (key-value heads, tokens, width of a head).
    """

    tokens: Tokens
    layers: tuple[tuple[torch.Tensor, torch.Tensor], ...]

    @property
    def bytes(self) -> int:
        """The size of the keys and values."""
        return sum(part.nbytes for layer in self.layers for part in layer)


@dataclass(frozen=True, slots=True)
class _Use:
    """A prefix in a forward call; ``positions`` are those of the queries, int64 (rows, queries)."""

    prefix: Prefix
    positions: torch.Tensor


class Prefixes:
    """The prefixes of one model, the most recently used ones kept.

    Args:
        checkpoint: a model that passed the trial; see :meth:`open`.
        most_bytes: of keys and values kept between calls.
    """

    def __init__(self, checkpoint: Checkpoint, most_bytes: int = STORE_BYTES) -> None:
        self._checkpoint = checkpoint
        self._most_bytes = most_bytes
        self._kept: OrderedDict[Tokens, Prefix] = OrderedDict()

    @classmethod
    def open(cls, checkpoint: Checkpoint) -> Prefixes | None:
        """The store of a model, None for one whose attention cannot share a prefix, which is logged.

        Rows of two lengths are read with and without a shared prefix, and must come out the same.
        """
        model = checkpoint.model
        plain = attention_of(model)
        store = cls(checkpoint)
        try:
            register_attention(_NAME, _attend, model)
            reason = _obstacle(model) or store._trial()
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
        if reason is None:
            return store
        model.set_attn_implementation(plain)
        _log.warning("%s reads few-shot examples again for every prompt: %s", checkpoint.name, reason)
        return None

    def get(self, tokens: Tokens) -> Prefix:
        """The prefix of these tokens, computed if it is not kept."""
        found = self._kept.pop(tokens, None) or self._read(tokens)
        self._kept[tokens] = found
        while len(self._kept) > 1 and sum(prefix.bytes for prefix in self._kept.values()) > self._most_bytes:
            self._kept.popitem(last=False)
        return found

    def _read(self, tokens: Tokens) -> Prefix:
        cache = new_cache(self._checkpoint.model)
        assert cache is not None
        record_all(cache)  # the windows of what follows begin at different places
        model = self._checkpoint.model
        ids = torch.tensor([tokens], device=self._checkpoint.device)
        # The logits are not wanted; one row of them is the least that can be asked for.
        few = {"logits_to_keep": 1} if "logits_to_keep" in inspect.signature(model.forward).parameters else {}
        with torch.inference_mode():
            model(input_ids=ids, use_cache=True, **{cache_parameter(model): cache}, **few)
        return Prefix(tokens, tuple((layer.keys[0], layer.values[0]) for layer in cache.layers))

    def _trial(self) -> str | None:
        """What is wrong with sharing in this model, if anything."""
        model, device = self._checkpoint.model, self._checkpoint.device
        size = int(model.get_input_embeddings().weight.shape[0])
        length = trial_length(model, self._checkpoint.window)
        start = length - 6
        row = [(7 * place + 11) % size for place in range(length)]
        mask = torch.ones(2, length, dtype=torch.long, device=device)
        mask[1, start : start + 2] = 0  # the second row lacks two tokens after the prefix
        ids = torch.tensor([row, row], device=device)
        positions = mask.cumsum(dim=1) - 1
        model.set_attn_implementation(_NAME)
        prefix = self._read(tuple(row[:start]))
        with torch.inference_mode():
            shared = model(
                input_ids=ids[:, start:],
                attention_mask=mask[:, start:],
                position_ids=positions[:, start:],
                use_cache=False,
                **prefix_argument(prefix, positions[:, start:]),
            ).logits[:, -1]
            alone = torch.stack(
                [
                    model(input_ids=line[kept.bool()][None], use_cache=False).logits[0, -1]
                    for line, kept in zip(ids, mask, strict=True)
                ]
            )
        gap = (shared.float().softmax(-1) - alone.float().softmax(-1)).abs().max().item()
        limit = TOLERANCES.get(self._checkpoint.dtype, 0.1)
        return None if gap <= limit else f"probabilities would be off by {gap:.2g}"


def prefix_argument(prefix: Prefix | None, positions: torch.Tensor) -> dict[str, Any]:
    """The keyword argument of a forward call that reads its rows after a prefix.

    Args:
        positions: of the rows' tokens, those of the prefix counted; int64 (rows, tokens).
    """
    return {} if prefix is None else {_NAME: _Use(prefix, positions)}


def _obstacle(model: Any) -> str | None:
    if attention_of(model) != "sdpa":
        return f"its attention is {attention_of(model)}, not sdpa"
    if "position_ids" not in inspect.signature(model.forward).parameters:
        return "its positions cannot be set"
    return (
        None
        if new_cache(model)
        else "its cache has layers of other kinds than DynamicLayer and DynamicSlidingWindowLayer"
    )


def _attend(
    plain: Callable[..., tuple[torch.Tensor, None]],
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **others: Any,
) -> tuple[torch.Tensor, None]:
    """Attention over a shared prefix and each row's own tokens; without a prefix, PyTorch's own.

    Args:
        plain: PyTorch's own attention, with the arguments that follow.
        query: (rows, heads, queries, width of a head).
        key, value: of the rows' own tokens, (rows, key-value heads, tokens, width of a head).
        attention_mask: bool (rows, 1, queries, tokens), None for causal.
        others: ``shared_prefix``, ours; ``scaling``, ``sliding_window`` and more from the model's code.

    Returns:
        (rows, queries, heads, width of a head).
    """
    shared_prefix: _Use | None = others.pop("shared_prefix", None)
    if shared_prefix is None:
        return plain(module, query, key, value, attention_mask, **others)
    if unknown := [name for name in _UNKNOWN if others.get(name) is not None]:
        raise NotImplementedError(f"its attention has {unknown[0]}")
    keys, values = shared_prefix.prefix.layers[module.layer_idx]
    rows, heads, queries, width = query.shape
    groups = key.shape[1]  # key-value heads, each serving the same number of heads
    scaling = others.get("scaling")
    scaled = query * (width**-0.5 if scaling is None else scaling)
    grouped = scaled.view(rows, groups, -1, queries, width)
    before = torch.matmul(grouped.transpose(0, 1).reshape(groups, -1, width), keys.mT).float()
    before = before.view(groups, rows, -1, queries, keys.shape[1])
    own = torch.matmul(grouped.reshape(rows, groups, -1, width), key.mT).float()
    own = own.view(rows, groups, -1, queries, key.shape[2])
    before, own = _masked(before, own, attention_mask, shared_prefix, others.get("sliding_window"))
    attended = _weighted_values(before, own, values, value).to(value.dtype)
    return attended.reshape(rows, heads, queries, -1).transpose(1, 2).contiguous(), None


def _weighted_values(
    before: torch.Tensor, own: torch.Tensor, values: torch.Tensor, value: torch.Tensor
) -> torch.Tensor:
    """One softmax over both parts: exp(score − highest), summed, divides the two weighted sums of values.

    Args:
        before: scores of the prefix, (key-value heads, rows, heads of each, queries, its tokens).
        own: scores of the rows' own tokens, (rows, key-value heads, heads of each, queries, tokens).
        values, value: of the prefix and of the rows' own tokens.

    Returns:
        (rows, key-value heads, heads of each, queries, width of a head).
    """
    groups, rows, _, queries, _ = before.shape
    highest = torch.maximum(before.amax(-1, keepdim=True), own.amax(-1, keepdim=True).transpose(0, 1))
    before = (before - highest).exp_()
    own = (own - highest.transpose(0, 1)).exp_()
    total = before.sum(-1, keepdim=True).transpose(0, 1) + own.sum(-1, keepdim=True)
    of_prefix = torch.matmul(before.view(groups, -1, before.shape[-1]).to(value.dtype), values)
    of_own = torch.matmul(own.view(rows, groups, -1, own.shape[-1]).to(value.dtype), value)
    summed = of_prefix.view(groups, rows, -1, queries, value.shape[-1]).transpose(0, 1) + of_own.view(
        rows, groups, -1, queries, value.shape[-1]
    )
    return summed / total


def _masked(
    before: torch.Tensor,
    own: torch.Tensor,
    attention_mask: torch.Tensor | None,
    use: _Use,
    window: int | None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The scores with −∞ where a query must not look: later tokens, padding, beyond a sliding window."""
    queries, tokens = own.shape[-2:]
    if attention_mask is None and queries > 1:
        everywhere = torch.ones(queries, tokens, dtype=torch.bool, device=own.device)
        attention_mask = everywhere.tril(tokens - queries)[None, None]
    if attention_mask is not None:
        own = own.masked_fill(~attention_mask[:, :, None, :, :tokens], -torch.inf)
    if window is not None and before.shape[-1] + tokens > window:
        places = torch.arange(before.shape[-1], device=before.device)
        outside = use.positions[:, :, None] - places >= window  # (rows, queries, prefix)
        before = before.masked_fill(outside[None, :, None], -torch.inf)
    return before, own
