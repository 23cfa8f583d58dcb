"""Models with random weights, in the sizes of ``shapes.toml`` or of any config.json.

Their tokenizer is trained on the prompts and on sentences like those of the questions. Its size is chosen so
that English takes as many tokens as with the published tokenizers of the shapes: 1.3 to 1.4 per word. Its
entries are the first ones of the model's vocabulary, which keeps its full size.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    PreTrainedTokenizerFast,
)

from maieutic.benchmarks.throughput.clock import first_line
from maieutic.benchmarks.throughput.script import sentence
from maieutic.checkpoints.loading import CLASSIFIER, Checkpoint, load_checkpoint
from maieutic.errors import ModelError
from maieutic.prompts import PromptSet, load_prompts

__all__ = ["about_model", "random_lm", "random_verifier", "shape_names"]

ModelKind = Literal["lm", "nli"]
LABELS = dict(enumerate(("contradiction", "neutral", "entailment")))
BOS, EOS, PAD = "<s>", "</s>", "<pad>"
ENTRIES = 2048  # at most; the texts hold fewer pairs that occur again
SENTENCES = range(10_000, 10_200)  # not used in questions
_SPECIAL = ("bos_token_id", "eos_token_id", "pad_token_id", "cls_token_id", "sep_token_id")
_LEFT_OUT = {  # fields that depend on a tokenizer or on weights
    *_SPECIAL, "architectures", "auto_map", "dtype", "torch_dtype", "transformers_version",
    "quantization_config", "id2label", "label2id", "num_labels",
}  # fmt: skip
_SEED = 0


def shape_names(kind: ModelKind) -> list[str]:
    """The names of the shapes."""
    return list(_shapes()[kind])


def random_lm(shape: str, device: torch.device, dtype: torch.dtype, prompts: PromptSet) -> Checkpoint:
    """A language model of that shape, built on the device in the given number format.

    Args:
        shape: one of :func:`shape_names`, or the path of a config.json.

    Raises:
        ModelError: the shape is unknown, or Transformers cannot build it.
    """
    tokenizer = _tokenizer(prompts)
    config = _config(shape, "lm", tokenizer)
    model = _build(AutoModelForCausalLM, config, shape, device, dtype)
    window = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    return Checkpoint(f"{shape} (random weights)", model, tokenizer, device, dtype, window, Path(shape))


def random_verifier(shape: str, device: torch.device, dtype: torch.dtype, folder: Path) -> Checkpoint:
    """A verifier of that shape, written to ``folder`` for others to open; see :func:`random_lm`."""
    tokenizer = _tokenizer(load_prompts("paper"))
    config = _config(shape, "nli", tokenizer)
    model = _build(AutoModelForSequenceClassification, config, shape, torch.device("cpu"), dtype)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    name = str(dtype).removeprefix("torch.")
    return load_checkpoint(str(folder), CLASSIFIER, device=str(device), dtype=name)


def about_model(checkpoint: Checkpoint, **others: Any) -> dict[str, Any]:
    """The model's name, number format and sizes, for the results."""
    config = checkpoint.model.config.get_text_config()
    sizes = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "vocab_size")
    return {
        "name": checkpoint.name,
        "parameters": checkpoint.model.num_parameters(),
        "dtype": checkpoint.dtype_name,
        "model_type": config.model_type,
        **{size: getattr(config, size, None) for size in (*sizes, "num_key_value_heads")},
        **others,
    }


def _build(opener: Any, config: Any, shape: str, device: torch.device, dtype: torch.dtype) -> Any:
    try:
        torch.manual_seed(_SEED)
        with device:
            return opener.from_config(config, dtype=dtype).eval()
    except Exception as error:  # Transformers raises whatever its configurations lead to
        problem = f"{shape} cannot be built ({type(error).__name__}: {first_line(error)}); use another shape"
        raise ModelError(problem, subject=shape) from error


def _config(shape: str, kind: ModelKind, tokenizer: Any) -> Any:
    fields = _fields(shape, kind)
    if int(fields.get("vocab_size", len(tokenizer))) < len(tokenizer):
        problem = f"{shape}: vocab_size must be ≥ {len(tokenizer)}, the size of the benchmark's tokenizer"
        raise ModelError(problem, subject=shape)
    fields |= {name: getattr(tokenizer, name, None) for name in _SPECIAL}
    if kind == "nli":
        fields |= {"id2label": LABELS, "label2id": {label: place for place, label in LABELS.items()}}
    model_type = fields.pop("model_type")
    try:
        return AutoConfig.for_model(model_type, **fields)
    except Exception as error:
        problem = (
            f"{shape} is not a valid configuration ({type(error).__name__}: {first_line(error)}); correct it"
        )
        raise ModelError(problem, subject=shape) from error


def _fields(shape: str, kind: ModelKind) -> dict[str, Any]:
    """The configuration's fields that a model without weights may have."""
    known = _shapes()[kind]
    if shape in known:
        return dict(known[shape])
    path = Path(shape)
    if not path.is_file():
        problem = f"{shape!r} is not a shape; use {', '.join(known)}, or the path of a config.json"
        raise ModelError(problem, subject=shape)
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        fields["model_type"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        problem = f"{path} is not a config.json ({type(error).__name__}: {first_line(error)}); give another"
        raise ModelError(problem, subject=shape) from error
    return {name: value for name, value in fields.items() if name not in _LEFT_OUT}


@cache
def _shapes() -> dict[str, dict[str, dict[str, Any]]]:
    text = resources.files(__package__).joinpath("shapes.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _tokenizer(prompts: PromptSet) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer that opens every text with a special token, and takes pairs."""
    special = [BOS, EOS, PAD]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=ENTRIES,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_texts(prompts), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A",
        pair=f"{BOS} $A {EOS} $B {EOS}",
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in (BOS, EOS)],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=BOS,
        eos_token=EOS,
        pad_token=PAD,
        model_max_length=10**30,
        model_input_names=["input_ids", "attention_mask"],
    )


def _texts(prompts: PromptSet) -> Sequence[str]:
    statement = sentence(SENTENCES[0]).affirmed
    forms = (
        prompts.negate(statement),
        prompts.explain(statement, True),
        prompts.belief(statement),
        prompts.verdict(statement, statement),
        prompts.direct(statement),
    )
    texts = [text for made in map(sentence, SENTENCES) for text in (made.affirmed, made.denied)]
    return [*(form.text() for form in forms), *texts]
