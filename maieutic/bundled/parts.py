"""What both bundled models are made of: layers without biases, and rotary positions.

Rotary positions are those of Su et al. 2021 (arXiv 2104.09864).
"""

from __future__ import annotations

import torch
from torch import nn

__all__ = ["Embedding", "LayerNorm", "Linear", "rotated", "rotations"]


# The layers have no values, and no memory, until weights are loaded. PyTorch's own would be filled with
# random ones, on the device "meta" by code that takes seconds to import.


class Embedding(nn.Embedding):
    """A vector for each token."""

    def __init__(self, tokens: int, width: int) -> None:
        super().__init__(tokens, width, device="meta")

    def reset_parameters(self) -> None:
        """Nothing."""


class Linear(nn.Linear):
    """A product with a matrix."""

    def __init__(self, inputs: int, outputs: int, *, bias: bool = False) -> None:
        super().__init__(inputs, outputs, bias=bias, device="meta")

    def reset_parameters(self) -> None:
        """Nothing."""


class LayerNorm(nn.LayerNorm):
    """PyTorch's, scaled but not shifted."""

    def __init__(self, width: int, epsilon: float) -> None:
        super().__init__(width, eps=epsilon, bias=False, device="meta")

    def reset_parameters(self) -> None:
        """Nothing."""


def rotations(positions: torch.Tensor, width: int, base: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosines and sines of the angles by which queries and keys are rotated.

    Args:
        positions: int64 (rows, tokens).
        width: of a head.
        base: the wavelengths reach from 2π to 2π·base tokens.

    Returns:
        two tensors, float32 (rows, 1, tokens, width).
    """
    frequencies = 1.0 / (base ** (torch.arange(0, width, 2, dtype=torch.float) / width))
    angles = positions[..., None].float() * frequencies.to(positions.device)
    both = torch.cat((angles, angles), dim=-1)[:, None]
    return both.cos(), both.sin()


def rotated(states: torch.Tensor, cosines: torch.Tensor, sines: torch.Tensor) -> torch.Tensor:
    """Queries or keys after the rotation; float (rows, heads, tokens, width)."""
    first, second = states.chunk(2, dim=-1)
    return states * cosines + torch.cat((-second, first), dim=-1) * sines
