"""agora-lm in plain PyTorch: a Llama (Touvron et al. 2023, arXiv 2302.13971).

The weights, their names and every operation are those of Transformers' ``LlamaForCausalLM``, so that the
numbers are the same; tests compare the two. Importing Transformers' class takes seconds, this one none. It
has what a language model is asked for in :mod:`maieutic.lm.local`, under Transformers' names, and only the
features that agora-lm has: no biases, tied embeddings, and one key-value head for each head.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import torch
from torch import nn

from maieutic.bundled.config import Configuration, Output
from maieutic.bundled.parts import Embedding, Linear, rotated, rotations

__all__ = ["Cache", "Llama"]

Attention = Callable[..., tuple[torch.Tensor, None]]
Rotations = tuple[torch.Tensor, torch.Tensor]


class Llama(nn.Module):
    """The language model.

    Attributes:
        generation_config: the tokens that end and fill texts.
        attention_functions: by the names that :meth:`set_attn_implementation` takes.
    """

    def __init__(self, config: Configuration) -> None:
        super().__init__()
        self.config = config
        self.generation_config = SimpleNamespace(
            eos_token_id=config.eos_token_id, pad_token_id=config.pad_token_id
        )
        self.attention_functions: dict[str, Attention] = {"sdpa": _sdpa}
        self.model = _Decoder(config)
        self.lm_head = Linear(config.hidden_size, config.vocab_size)

    def load(self, weights: dict[str, torch.Tensor]) -> None:
        """Take the weights; the output layer's are those of the embeddings."""
        self.load_state_dict(weights | {"lm_head.weight": weights["model.embed_tokens.weight"]}, assign=True)
        self.lm_head.weight = self.model.embed_tokens.weight

    @property
    def dtype(self) -> torch.dtype:
        """The number format of the weights."""
        return self.lm_head.weight.dtype

    def get_input_embeddings(self) -> nn.Embedding:
        """The embeddings of tokens."""
        return self.model.embed_tokens

    def get_output_embeddings(self) -> nn.Linear:
        """The output layer."""
        return self.lm_head

    def set_attn_implementation(self, name: str) -> None:
        """Use one of :attr:`attention_functions`."""
        self.config._attn_implementation = name

    def new_cache(self) -> Cache:
        """An empty cache of keys and values."""
        return Cache([_Layer() for _ in self.model.layers])

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        past_key_values: Cache | None = None,
        use_cache: bool = False,
        logits_to_keep: int = 0,
        **others: Any,
    ) -> Output:
        """The logits of the next tokens.

        Args:
            input_ids: int64 (rows, tokens).
            attention_mask: 1 for tokens, 0 for padding, those in the cache included; int64 (rows, tokens).
            position_ids: int64 (rows, tokens), by default 0, 1, 2 …
            past_key_values: what was read before; these tokens are added.
            logits_to_keep: of the last positions; 0 for all.
            others: keyword arguments of the attention function.
        """
        past = past_key_values.length if past_key_values is not None else 0
        if position_ids is None:
            position_ids = torch.arange(past, past + input_ids.shape[1], device=input_ids.device)[None]
        mask = _causal_mask(attention_mask, input_ids.shape[1], past)
        hidden = self.model.embed_tokens(input_ids)
        width, base = self.config.head_dim, self.config.rope_parameters["rope_theta"]
        cosines, sines = (part.to(hidden.dtype) for part in rotations(position_ids, width, base))
        attend = self.attention_functions[self.config._attn_implementation]
        for layer in self.model.layers:
            hidden = layer(hidden, mask, (cosines, sines), past_key_values, attend, others)
        return Output(self.lm_head(self.model.norm(hidden)[:, -logits_to_keep:]))


class _Decoder(nn.Module):
    def __init__(self, config: Configuration) -> None:
        super().__init__()
        self.embed_tokens = Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList([_Block(config, place) for place in range(config.num_hidden_layers)])
        self.norm = _Norm(config)


class _Block(nn.Module):
    def __init__(self, config: Configuration, place: int) -> None:
        super().__init__()
        self.input_layernorm = _Norm(config)
        self.self_attn = _SelfAttention(config, place)
        self.post_attention_layernorm = _Norm(config)
        self.mlp = _GatedUnits(config)

    def forward(self, hidden: torch.Tensor, *context: Any) -> torch.Tensor:
        hidden = hidden + self.self_attn(self.input_layernorm(hidden), *context)
        added: torch.Tensor = hidden + self.mlp(self.post_attention_layernorm(hidden))
        return added


class _SelfAttention(nn.Module):
    """Attributes: layer_idx: the layer's place, which attention functions ask for."""

    def __init__(self, config: Configuration, place: int) -> None:
        super().__init__()
        self.layer_idx, self._width = place, config.head_dim
        inner = config.num_attention_heads * config.head_dim
        self.q_proj = Linear(config.hidden_size, inner)
        self.k_proj = Linear(config.hidden_size, inner)
        self.v_proj = Linear(config.hidden_size, inner)
        self.o_proj = Linear(inner, config.hidden_size)

    def forward(
        self,
        hidden: torch.Tensor,
        mask: torch.Tensor | None,
        rotation: Rotations,
        cache: Cache | None,
        attend: Attention,
        others: dict[str, Any],
    ) -> torch.Tensor:
        query, key, value = (
            projection(hidden).unflatten(-1, (-1, self._width)).transpose(1, 2)
            for projection in (self.q_proj, self.k_proj, self.v_proj)
        )
        query, key = rotated(query, *rotation), rotated(key, *rotation)
        if cache is not None:
            key, value = cache.layers[self.layer_idx].extended(key, value)
        attended, _ = attend(self, query, key, value, mask, scaling=self._width**-0.5, **others)
        out: torch.Tensor = self.o_proj(attended.flatten(-2))
        return out


class _GatedUnits(nn.Module):
    def __init__(self, config: Configuration) -> None:
        super().__init__()
        self.gate_proj = Linear(config.hidden_size, config.intermediate_size)
        self.up_proj = Linear(config.hidden_size, config.intermediate_size)
        self.down_proj = Linear(config.intermediate_size, config.hidden_size)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        units: torch.Tensor = nn.functional.silu(self.gate_proj(hidden)) * self.up_proj(hidden)
        out: torch.Tensor = self.down_proj(units)
        return out


class _Norm(nn.Module):
    """Division by the root mean square, computed in float32."""

    def __init__(self, config: Configuration) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(config.hidden_size, device="meta"))
        self._epsilon = config.rms_norm_eps

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        wide = hidden.float()
        wide = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + self._epsilon)
        return self.weight * wide.to(hidden.dtype)


@dataclass(slots=True)
class _Layer:
    """The keys and values of one layer; (rows, heads, tokens, width of a head), None before the first."""

    keys: torch.Tensor | None = None
    values: torch.Tensor | None = None

    def extended(self, key: torch.Tensor, value: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """All keys and values, once these are added."""
        if self.keys is not None and self.values is not None:
            key, value = torch.cat([self.keys, key], dim=-2), torch.cat([self.values, value], dim=-2)
        self.keys, self.values = key, value
        return key, value


@dataclass(slots=True)
class Cache:
    """The keys and values of what was read."""

    layers: list[_Layer] = field(default_factory=list)

    @property
    def length(self) -> int:
        """Number of tokens, padding included."""
        keys = self.layers[0].keys
        return 0 if keys is None else int(keys.shape[-2])

    def batch_select_indices(self, rows: torch.Tensor) -> None:
        """Keep these rows, in this order; a row may occur several times."""
        for layer in self.layers:
            if layer.keys is not None and layer.values is not None:
                layer.keys, layer.values = layer.keys[rows], layer.values[rows]


def _causal_mask(mask: torch.Tensor | None, queries: int, past: int) -> torch.Tensor | None:
    """Which tokens a query sees, bool (rows, 1, queries, tokens); None where PyTorch needs none."""
    if mask is None and not past:
        return None
    if mask is not None and (queries == 1 or not past) and bool(mask.all()):
        return None
    tokens = past + queries
    device = None if mask is None else mask.device
    causal = torch.ones(queries, tokens, dtype=torch.bool, device=device).tril(past)[None, None]
    return causal if mask is None else causal & mask.bool()[:, None, None]


def _sdpa(
    _module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    *,
    scaling: float,
) -> tuple[torch.Tensor, None]:
    """PyTorch's own attention; (rows, queries, heads, width of a head)."""
    causal = mask is None and query.shape[2] > 1
    attended = nn.functional.scaled_dot_product_attention(
        query, key, value, attn_mask=mask, is_causal=causal, scale=scaling
    )
    return attended.transpose(1, 2).contiguous(), None
