"""Opens the bundled models without Transformers, which takes seconds to import."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from maieutic.bundled import BundledModel, bundled_folder
from maieutic.bundled.config import Configuration

if TYPE_CHECKING:
    import torch

__all__ = ["open_bundled"]


def open_bundled(name: BundledModel, dtype: torch.dtype) -> tuple[Any, Any]:
    """A bundled model on the CPU, in evaluation mode, and its tokenizer.

    Raises:
        ModelError: a file is missing or differs from the shipped one.
    """
    from safetensors.torch import load_file  # noqa: PLC0415 - loads torch

    from maieutic.bundled.llama import Llama  # noqa: PLC0415
    from maieutic.bundled.modernbert import ModernBert  # noqa: PLC0415
    from maieutic.bundled.tokenizer import BundledTokenizer  # noqa: PLC0415

    folder = bundled_folder(name)
    kinds: dict[BundledModel, type[Llama | ModernBert]] = {"agora-lm": Llama, "agora-nli": ModernBert}
    model = kinds[name](Configuration.read(folder))
    weights = load_file(folder / "model.safetensors")
    model.load({key: weight.to(dtype) for key, weight in weights.items()})
    return model.eval(), BundledTokenizer(folder)
