"""Models with random weights, in the sizes of ``shapes.toml`` or of any config.json."""

from __future__ import annotations

import json
import tomllib
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSequenceClassification

from maieutic.benchmarks.throughput.tokens import lm_tokenizer, nli_tokenizer
from maieutic.errors import ModelError
from maieutic.loading import Checkpoint, quiet
from maieutic.nli.base import CONTRADICTION, ENTAILMENT, NEUTRAL
from maieutic.prompts import PromptSet

__all__ = ["random_lm", "save_random_verifier", "shape_names"]

Kind = Literal["lm", "nli"]
LABELS = {CONTRADICTION: "contradiction", NEUTRAL: "neutral", ENTAILMENT: "entailment"}
_SPECIAL = ("bos_token_id", "eos_token_id", "pad_token_id", "cls_token_id", "sep_token_id")
_SEED = 0


def shape_names(kind: Kind) -> list[str]:
    """The shapes that are known by name."""
    return list(_shapes()[kind])


def random_lm(shape: str, device: torch.device, dtype: torch.dtype, prompts: PromptSet) -> Checkpoint:
    """A language model of that shape, built on the device and in the number format it is to have.

    Args:
        shape: one of :func:`shape_names`, or the path of a config.json.

    Raises:
        ModelError: the shape is unknown, or Transformers cannot build it.
    """
    tokenizer = lm_tokenizer(prompts)
    model = _build(AutoModelForCausalLM, _config(shape, "lm", tokenizer), shape, device, dtype)
    window = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    return Checkpoint(f"{shape} (random weights)", model, tokenizer, device, dtype, window, Path(shape))


def save_random_verifier(shape: str, dtype: torch.dtype, prompts: PromptSet, folder: Path) -> Path:
    """Write a verifier of that shape as a model folder; see :func:`random_lm`."""
    given = _fields(shape, "nli")
    positions = int(given.get("max_position_embeddings", 512))
    tokenizer = nli_tokenizer(prompts, positions - 2 if given["model_type"] == "roberta" else positions)
    config = _config(shape, "nli", tokenizer)
    model = _build(AutoModelForSequenceClassification, config, shape, torch.device("cpu"), dtype)
    with quiet():
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return folder


def _build(opener: Any, config: Any, shape: str, device: torch.device, dtype: torch.dtype) -> Any:
    try:
        torch.manual_seed(_SEED)
        with quiet(), device:
            return opener.from_config(config, dtype=dtype).eval()
    except Exception as error:  # Transformers raises whatever its configurations lead to
        raise ModelError(f"{shape} cannot be built ({type(error).__name__}: {error})") from error


def _config(shape: str, kind: Kind, tokenizer: Any) -> Any:
    fields = _fields(shape, kind)
    if int(fields.get("vocab_size", len(tokenizer))) < len(tokenizer):
        raise ModelError(f"{shape} knows fewer than the {len(tokenizer)} tokens of the benchmark's tokenizer")
    fields |= {name: getattr(tokenizer, name, None) for name in _SPECIAL}
    if kind == "nli":
        fields |= {"id2label": LABELS, "label2id": {label: place for place, label in LABELS.items()}}
    model_type = fields.pop("model_type")
    try:
        return AutoConfig.for_model(model_type, **fields)
    except Exception as error:
        raise ModelError(f"{shape} is no configuration ({type(error).__name__}: {error})") from error


def _fields(shape: str, kind: Kind) -> dict[str, Any]:
    """The configuration's fields, those aside that hang on a tokenizer or on weights."""
    known = _shapes()[kind]
    if shape in known:
        return dict(known[shape])
    path = Path(shape)
    if not path.is_file():
        raise ModelError(f"{shape!r} is no shape; use {', '.join(known)}, or the path of a config.json")
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        fields["model_type"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path} is no config.json ({type(error).__name__}: {error})") from error
    left_out = {*_SPECIAL, "architectures", "auto_map", "dtype", "torch_dtype", "transformers_version"}
    left_out |= {"quantization_config", "id2label", "label2id", "num_labels"}
    return {name: value for name, value in fields.items() if name not in left_out}


@cache
def _shapes() -> dict[str, dict[str, dict[str, Any]]]:
    text = resources.files(__package__).joinpath("shapes.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
