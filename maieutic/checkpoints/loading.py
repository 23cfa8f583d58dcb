"""Load a model and its tokenizer from a folder or a hub id.

Downloads are opt-in, code in the folder is never run and pickles are never read. Errors of Transformers,
Tokenizers and Safetensors become ModelErrors.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import torch

from maieutic.bundled import AGORA, BundledModel, bundled_folder
from maieutic.bundled.opening import open_bundled
from maieutic.checkpoints.devices import resolve_device, resolve_dtype
from maieutic.checkpoints.finding import find_folder, first_line
from maieutic.checkpoints.fingerprints import checkpoint_fingerprint
from maieutic.checkpoints.folders import check_folder, missing_packages
from maieutic.checkpoints.internals import architectures, is_opened_by
from maieutic.errors import MaieuticError, ModelError

__all__ = [
    "CLASSIFIER",
    "LANGUAGE_MODEL",
    "Checkpoint",
    "Kind",
    "load_checkpoint",
    "shortened",
]

# Names of the maximum number of positions in the configurations of model families.
WINDOW_FIELDS = ("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", "seq_length")
_opening = Lock()  # Transformers swaps functions of the whole process while it opens a model
SHOWN = 60  # characters of a prompt or statement that a message quotes
NO_LIMIT = 10**7  # Transformers uses 10**30 for a tokenizer without a limit


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of checkpoint: what opens it, and its names in messages."""

    noun: str
    opener_name: str  # in Transformers
    mapping: str  # of architectures, in Transformers
    other: str  # hint for a checkpoint of the other kind
    bundled: BundledModel

    @property
    def opener(self) -> Any:
        """Transformers' class that opens checkpoints of this kind."""
        import transformers  # noqa: PLC0415 - takes seconds to load

        return getattr(transformers, self.opener_name)

    @property
    def architectures(self) -> frozenset[str]:
        """The names of the model classes of this kind, empty where Transformers does not tell."""
        return architectures(self.mapping)


LANGUAGE_MODEL = Kind(
    "a causal language model",
    "AutoModelForCausalLM",
    "MODEL_FOR_CAUSAL_LM_MAPPING_NAMES",
    "give it as the verifier (--nli)",
    "agora-lm",
)
CLASSIFIER = Kind(
    "a sequence classifier",
    "AutoModelForSequenceClassification",
    "MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES",
    "give it as the language model (--lm)",
    "agora-nli",
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model ready for inference.

    Attributes:
        name: the name that the caller gave.
        model: the Transformers model, in evaluation mode on ``device``; "agora" is one of
            :mod:`maieutic.bundled`, with the names of Transformers' that are used here.
        tokenizer: its tokenizer, likewise.
        window: largest number of tokens in a sequence; None if there is no limit.
        folder: the folder of its files.
    """

    name: str
    model: Any
    tokenizer: Any
    device: torch.device
    dtype: torch.dtype
    window: int | None
    folder: Path

    @property
    def dtype_name(self) -> str:
        """ "float32", "bfloat16" or "float16"."""
        return str(self.dtype).removeprefix("torch.")

    def check_logits(self, logits: torch.Tensor) -> None:
        """Check that the model computes numbers.

        Args:
            logits: float (…, classes); −∞ is allowed beside a finite one.

        Raises:
            ModelError: a distribution has NaN or +∞. ``subject`` is the model's name.
        """
        if not logits.amax(dim=-1).isfinite().all():  # the maximum of NaN and anything is NaN
            raise ModelError(
                f"{self.name} computes values that are no numbers in {self.dtype_name}; "
                "use float32, or download the model again",
                subject=self.name,
            )

    @property
    def fingerprint(self) -> str:
        """Identifies the checkpoint in a cache (:mod:`maieutic.checkpoints.fingerprints`)."""
        return checkpoint_fingerprint(self.folder, self.dtype_name, self.device.type)


def load_checkpoint(
    name: str, kind: Kind, *, device: str = "auto", dtype: str = "auto", download: bool = False
) -> Checkpoint:
    """Load a checkpoint from a folder, the local hub cache, the hub or the package.

    Any thread may call it; models are opened one after the other.

    Args:
        name: a folder, a hub id, or "agora" for the bundled model (write ``./agora`` for a folder).
        device: "auto" (CUDA if available), "cpu", "cuda" or "cuda:N".
        dtype: "auto" (see resolve_dtype), "float32", "bfloat16" or "float16".
        download: download a hub id that is not in the cache.

    Raises:
        InputError: the device or the dtype is unknown or not available.
        ModelError: there is no such model, it cannot be loaded or it is of another kind. ``subject`` is
            its name or folder.
    """
    target = resolve_device(device)
    precision = resolve_dtype(dtype, target)
    if name == AGORA:
        folder = bundled_folder(kind.bundled)
        with _translated(folder):
            model, tokenizer = open_bundled(kind.bundled, precision)
    else:
        folder = find_folder(name, download=download)
        check_folder(folder)
        with _opening, _translated(folder):
            model, tokenizer = _opened(folder, kind, precision)
    model = model.to(target)
    return Checkpoint(name, model, tokenizer, target, precision, _window(model, tokenizer), folder)


def _opened(folder: Path, kind: Kind, dtype: torch.dtype) -> tuple[Any, Any]:
    """Model, in evaluation mode, and tokenizer as Transformers opens them."""
    from transformers import AutoConfig  # noqa: PLC0415 - takes seconds to load

    config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    _check_kind(folder, config, kind)
    _drop_foreign_padding(config)
    tokenizer = _load_tokenizer(folder, config)
    model, report = kind.opener.from_pretrained(
        folder,
        config=config,
        dtype=dtype,
        trust_remote_code=False,
        use_safetensors=True,
        local_files_only=True,
        output_loading_info=True,
    )
    # Transformers initialises missing weights at random and only logs it.
    if missing := sorted(report["missing_keys"]):
        raise ModelError(
            f"{folder} lacks {len(missing)} of the model's weights (such as {missing[0]}); "
            "download or save the model again",
            subject=str(folder),
        )
    return model.eval(), tokenizer


@contextmanager
def _translated(folder: Path) -> Iterator[None]:
    try:
        yield
    except MaieuticError:
        raise
    except Exception as error:  # damaged files raise errors of four libraries, and KeyErrors
        raise ModelError(
            f"{folder} cannot be loaded ({type(error).__name__}: {first_line(error)}); "
            "check that it has config.json, *.safetensors and the tokenizer's files",
            subject=str(folder),
        ) from error


def _check_kind(folder: Path, config: Any, kind: Kind) -> None:
    names = list(getattr(config, "architectures", None) or [])
    known = kind.architectures
    if not names or not known or known.intersection(names):
        return  # without architectures, the check for missing weights decides
    other = CLASSIFIER if kind is LANGUAGE_MODEL else LANGUAGE_MODEL
    of_other = other.architectures.intersection(names)
    if kind is LANGUAGE_MODEL and not of_other and _has_text_part(config):
        return
    remedy = kind.other if of_other else "give another model"
    raise ModelError(f"{folder} holds a {names[0]}, not {kind.noun}; {remedy}", subject=str(folder))


def _has_text_part(config: Any) -> bool:
    """Whether this is a model of text and images, say, whose text part can be opened as a language model."""
    composite = config.get_text_config(decoder=True) is not config
    encodes = getattr(config, "is_encoder_decoder", False)
    return composite and not encodes and is_opened_by(LANGUAGE_MODEL.opener, config)


def _load_tokenizer(folder: Path, config: Any) -> Any:
    from transformers import AutoTokenizer  # noqa: PLC0415 - takes seconds to load

    try:
        return AutoTokenizer.from_pretrained(folder, config=config, trust_remote_code=False)
    except Exception as error:
        if packages := missing_packages(folder):
            raise ModelError(
                f"the tokenizer of {folder} needs {' and '.join(packages)}, which Python does not find here; "
                f"run pip install {' '.join(packages)}",
                subject=str(folder),
            ) from error
        raise


def _drop_foreign_padding(config: Any) -> None:
    """Remove a padding token that is not in the vocabulary, such as -1, with which no model opens.

    Nothing else changes, since padding is always masked.
    """
    for part in (config, config.get_text_config()):
        pad, size = getattr(part, "pad_token_id", None), getattr(part, "vocab_size", None)
        if isinstance(pad, int) and isinstance(size, int) and not 0 <= pad < size:
            part.pad_token_id = None


def _window(model: Any, tokenizer: Any) -> int | None:
    """Largest number of tokens in a sequence: by the model's positions, else by the tokenizer; or None."""
    for module_name, module in model.named_modules():
        # RoBERTa-like models number positions from padding_idx + 1 and lose that many.
        offset = getattr(module, "padding_idx", None)
        if module_name.endswith("position_embeddings") and offset is not None:
            return int(module.num_embeddings - offset - 1)
    config = model.config.get_text_config()
    for field in WINDOW_FIELDS:
        if value := getattr(config, field, None):
            return int(value)
    limit = int(tokenizer.model_max_length)
    return limit if limit < NO_LIMIT else None


def shortened(text: str) -> str:
    """The text on one line, cut to SHOWN characters, for messages."""
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else f"{line[: SHOWN - 1]}…"
