"""agora-nli in plain PyTorch: a ModernBERT classifier (Warner et al. 2024, arXiv 2412.13663).

The weights, their names and every operation are those of ``ModernBertForSequenceClassification`` of
Transformers, so that the numbers are the same; tests compare the two. It has only the features that
agora-nli has: full attention in every layer, no biases, and the mean of the last layer as what is
classified.
"""

from __future__ import annotations

import torch
from torch import nn

from maieutic.bundled.config import Configuration, Output
from maieutic.bundled.parts import Embedding, LayerNorm, Linear, rotated, rotations

__all__ = ["ModernBert"]


class ModernBert(nn.Module):
    """The sequence classifier."""

    def __init__(self, config: Configuration) -> None:
        super().__init__()
        self.config = config
        self.model = _Encoder(config)
        self.head = _Head(config)
        self.classifier = Linear(config.hidden_size, len(config.id2label), bias=True)

    def load(self, weights: dict[str, torch.Tensor]) -> None:
        """Take the weights."""
        self.load_state_dict(weights, assign=True)

    @property
    def dtype(self) -> torch.dtype:
        """The number format of the weights."""
        return self.classifier.weight.dtype

    def get_input_embeddings(self) -> nn.Embedding:
        """The embeddings of tokens."""
        return self.model.embeddings.tok_embeddings

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> Output:
        """The logits of the labels.

        Args:
            input_ids: int64 (rows, tokens).
            attention_mask: 1 for tokens, 0 for padding; int64 (rows, tokens).
        """
        hidden = self.model.embeddings(input_ids)
        positions = torch.arange(input_ids.shape[1], device=input_ids.device)[None]
        width = self.config.hidden_size // self.config.num_attention_heads
        base = self.config.rope_parameters["full_attention"]["rope_theta"]
        # In the number format of the weights first, as Transformers rounds them.
        cosines, sines = (part.to(hidden.dtype) for part in rotations(positions, width, base))
        mask = None if bool(attention_mask.all()) else attention_mask.bool()[:, None, None]
        if mask is not None:
            mask = mask.expand(-1, 1, input_ids.shape[1], -1)
        for layer in self.model.layers:
            hidden = layer(hidden, mask, cosines, sines)
        hidden = self.model.final_norm(hidden)
        summed = (hidden * attention_mask[..., None]).sum(dim=1)
        return Output(self.classifier(self.head(summed / attention_mask.sum(dim=1, keepdim=True))))


class _Encoder(nn.Module):
    def __init__(self, config: Configuration) -> None:
        super().__init__()
        self.embeddings = _Embeddings(config)
        self.layers = nn.ModuleList([_Layer(config, place) for place in range(config.num_hidden_layers)])
        self.final_norm = LayerNorm(config.hidden_size, config.norm_eps)


class _Embeddings(nn.Module):
    def __init__(self, config: Configuration) -> None:
        super().__init__()
        self.tok_embeddings = Embedding(config.vocab_size, config.hidden_size)
        self.norm = LayerNorm(config.hidden_size, config.norm_eps)

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        hidden: torch.Tensor = self.norm(self.tok_embeddings(input_ids))
        return hidden


class _Layer(nn.Module):
    def __init__(self, config: Configuration, place: int) -> None:
        super().__init__()
        self.attn_norm = LayerNorm(config.hidden_size, config.norm_eps) if place else nn.Identity()
        self.attn = _SelfAttention(config)
        self.mlp_norm = LayerNorm(config.hidden_size, config.norm_eps)
        self.mlp = _GatedUnits(config)

    def forward(
        self, hidden: torch.Tensor, mask: torch.Tensor | None, cosines: torch.Tensor, sines: torch.Tensor
    ) -> torch.Tensor:
        hidden = hidden + self.attn(self.attn_norm(hidden), mask, cosines, sines)
        added: torch.Tensor = hidden + self.mlp(self.mlp_norm(hidden))
        return added


class _SelfAttention(nn.Module):
    def __init__(self, config: Configuration) -> None:
        super().__init__()
        self._width = config.hidden_size // config.num_attention_heads
        self.Wqkv = Linear(config.hidden_size, 3 * config.hidden_size)
        self.Wo = Linear(config.hidden_size, config.hidden_size)

    def forward(
        self, hidden: torch.Tensor, mask: torch.Tensor | None, cosines: torch.Tensor, sines: torch.Tensor
    ) -> torch.Tensor:
        parts = self.Wqkv(hidden).unflatten(-1, (3, -1, self._width)).unbind(dim=-3)
        query, key, value = (part.transpose(1, 2) for part in parts)
        query, key = (rotated(part.float(), cosines, sines).to(part.dtype) for part in (query, key))
        attended = nn.functional.scaled_dot_product_attention(
            query, key, value, attn_mask=mask, scale=self._width**-0.5
        )
        out: torch.Tensor = self.Wo(attended.transpose(1, 2).flatten(-2))
        return out


class _GatedUnits(nn.Module):
    def __init__(self, config: Configuration) -> None:
        super().__init__()
        self.Wi = Linear(config.hidden_size, 2 * config.intermediate_size)
        self.Wo = Linear(config.intermediate_size, config.hidden_size)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        units, gate = self.Wi(hidden).chunk(2, dim=-1)
        out: torch.Tensor = self.Wo(nn.functional.gelu(units) * gate)
        return out


class _Head(nn.Module):
    def __init__(self, config: Configuration) -> None:
        super().__init__()
        self.dense = Linear(config.hidden_size, config.hidden_size)
        self.norm = LayerNorm(config.hidden_size, config.norm_eps)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.norm(nn.functional.gelu(self.dense(hidden)))
        return out
