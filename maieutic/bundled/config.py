"""The configuration of a bundled model, and what its forward pass returns."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

__all__ = ["Configuration", "Output"]


class Configuration(SimpleNamespace):
    """The fields of a model's ``config.json``, by the names that Transformers gives them."""

    @classmethod
    def read(cls, folder: Path) -> Configuration:
        """The configuration of a model folder."""
        fields: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        labels = {int(index): label for index, label in fields.pop("id2label", {}).items()}
        return cls(**fields, id2label=labels, _attn_implementation="sdpa")

    def get_text_config(self, *, decoder: bool = False) -> Configuration:
        """The configuration of the part that reads text: all of it."""
        return self


@dataclass(frozen=True, slots=True)
class Output:
    """What a forward pass returns: float (rows, tokens, vocabulary), or (rows, labels) of a classifier."""

    logits: torch.Tensor
