"""A folder or a hub id of weights, opened as a model and tokenizer or refused in a sentence.

Nothing is downloaded unless asked for, no code of the folder is run and no pickle is read. All that
Transformers, Tokenizers and Safetensors raise here becomes a ModelError.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import torch
from huggingface_hub import snapshot_download
from tqdm.auto import tqdm
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
)

from maieutic.bundled import AGORA, BundledModel, bundled_folder
from maieutic.checkpoints.devices import resolve_device, resolve_dtype
from maieutic.checkpoints.fingerprints import checkpoint_fingerprint
from maieutic.checkpoints.internals import causal_architectures, classifier_architectures
from maieutic.errors import MaieuticError, ModelError

__all__ = [
    "CLASSIFIER",
    "LANGUAGE_MODEL",
    "Checkpoint",
    "Kind",
    "load_checkpoint",
    "shortened",
]

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
HUB_FILES = ["*.json", "*.safetensors", "*.model", "*.txt", "*.jinja", "*.tiktoken"]
HUB_SKIPPED = ["*/*", "consolidated*"]  # subfolders and second copies of the weights
TOKENIZER_FILES = ("tokenizer.json", "vocab.*", "*.model", "*.tiktoken", "tekken.json")
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")

# What model families call the number of positions they were built for.
WINDOW_FIELDS = ("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", "seq_length")
SHOWN = 60  # characters of a prompt or a statement in a message
_opening = Lock()  # while Transformers opens a model it swaps functions that every model of the process uses
NO_LIMIT = 10**7  # Transformers writes 10**30 where a tokenizer knows no limit


@dataclass(frozen=True, slots=True)
class Kind:
    """What a checkpoint must be: the class that opens it, and how messages speak of it."""

    noun: str
    opener: Any
    architectures: frozenset[str]
    other: str  # where a checkpoint of the other kind belongs
    bundled: BundledModel


LANGUAGE_MODEL = Kind(
    "a causal language model",
    AutoModelForCausalLM,
    causal_architectures(),
    "did you mean it as the verifier (--nli)?",
    "agora-lm",
)
CLASSIFIER = Kind(
    "a sequence classifier",
    AutoModelForSequenceClassification,
    classifier_architectures(),
    "did you mean it as the language model (--lm)?",
    "agora-nli",
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model ready for inference.

    Attributes:
        name: as the caller gave it.
        model: the Transformers model, in evaluation mode on ``device``.
        tokenizer: its tokenizer.
        window: most tokens of one sequence, None where the model has no limit.
        folder: where its files lie.
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

    @property
    def fingerprint(self) -> str:
        """Identifies the checkpoint in a cache (:mod:`maieutic.checkpoints.fingerprints`)."""
        return checkpoint_fingerprint(self.folder, self.dtype_name, self.device.type)


def load_checkpoint(
    name: str, kind: Kind, *, device: str = "auto", dtype: str = "auto", download: bool = False
) -> Checkpoint:
    """Open a folder, a hub id that is in the local cache or may be downloaded, or the bundled model.

    Any thread may call it; models are opened one after the other.

    Args:
        name: "agora" means the bundled model of that kind; write ``./agora`` for a folder called so.
        device: "auto" (CUDA where there is one), "cpu", "cuda" or "cuda:N".
        dtype: "auto" (see resolve_dtype), "float32", "bfloat16" or "float16".
        download: fetch a hub id that is not in the cache.

    Raises:
        InputError: the device or the dtype is unknown or not there.
        ModelError: nothing usable is found under that name, or a model of another kind.
    """
    target = resolve_device(device)
    precision = resolve_dtype(dtype, target)
    folder = bundled_folder(kind.bundled) if name == AGORA else find_folder(name, download=download)
    _check_files(folder)
    with _opening, _translated(folder):
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
        _check_kind(folder, config, kind)
        tokenizer = AutoTokenizer.from_pretrained(folder, config=config, trust_remote_code=False)
        model, report = kind.opener.from_pretrained(
            folder,
            config=config,
            dtype=precision,
            trust_remote_code=False,
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
        )
        # Transformers fills what is missing with random numbers and only logs it.
        if missing := sorted(report["missing_keys"]):
            raise ModelError(
                f"{folder} lacks {len(missing)} of the model's weights ({missing[0]} is one); "
                "they are incomplete or belong to another model: fetch or save them again"
            )
        model = model.eval().to(target)
    return Checkpoint(name, model, tokenizer, target, precision, _window(model, tokenizer), folder)


def find_folder(name: str, *, download: bool = False) -> Path:
    """The local folder behind a folder's path or a hub id.

    Raises:
        ModelError: neither a folder nor a hub id in the cache, or the download failed.
    """
    path = Path(name).expanduser()
    if name and path.is_dir():
        return path
    if path.is_file() or not HUB_ID.fullmatch(name):
        found = "a file" if path.is_file() else "no folder here and cannot be a hub id"
        raise ModelError(f"{name!r} is {found}; give a model folder or a hub id like Qwen/Qwen3-1.7B")
    try:
        found_folder = snapshot_download(
            name,
            local_files_only=not download,
            allow_patterns=HUB_FILES,
            ignore_patterns=HUB_SKIPPED,
            tqdm_class=_DownloadBar,
        )
    except Exception as error:  # the hub client raises errors of several libraries
        raise ModelError(_not_found(name, error, download=download)) from error
    return Path(found_folder)


class _DownloadBar(tqdm):  # type: ignore[misc]
    """A bar on terminals, even where the hub client's own bars are off."""

    def __init__(self, *args: Any, name: str = "", **options: Any) -> None:
        super().__init__(*args, **options | {"disable": not sys.stderr.isatty()})


def _not_found(name: str, error: Exception, *, download: bool) -> str:
    if download:
        return f"{name} could not be downloaded ({_first_line(error)}); check the name and the network"
    return (
        f"{name} is not a folder and not in the hub cache; "
        "pass --download (download=True) to fetch it, or correct the name"
    )


@contextmanager
def _translated(folder: Path) -> Iterator[None]:
    try:
        yield
    except MaieuticError:
        raise
    except Exception as error:  # broken files raise the errors of four libraries, and plain KeyErrors
        raise ModelError(
            f"{folder} cannot be loaded ({type(error).__name__}: {_first_line(error)}); "
            "check that it is complete: config.json, *.safetensors and the tokenizer's files"
        ) from error


def _first_line(error: Exception) -> str:
    line = str(error).strip().partition("\n")[0]
    return line if len(line) <= 200 else f"{line[:199]}…"


def _check_files(folder: Path) -> None:
    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder} holds no model: it has no config.json; give the folder that has one")
    if not any(folder.glob("*.safetensors")):
        pickles = sorted(path.name for pattern in PICKLES for path in folder.glob(pattern))
        found = f"only {pickles[0]}, a pickle, which is never read" if pickles else "no weights"
        raise ModelError(f"{folder} holds {found}; save the model as safetensors")
    # Without these Transformers makes an empty vocabulary for some models, and says nothing.
    if not any(any(folder.glob(pattern)) for pattern in TOKENIZER_FILES):
        raise ModelError(f"{folder} holds no tokenizer; save it beside the weights (tokenizer.json)")


def _check_kind(folder: Path, config: Any, kind: Kind) -> None:
    found = list(getattr(config, "architectures", None) or [])
    if not found or not kind.architectures or kind.architectures.intersection(found):
        return  # where architectures are unknown the weights decide: none may be missing
    other = CLASSIFIER if kind is LANGUAGE_MODEL else LANGUAGE_MODEL
    hint = f"; {kind.other}" if other.architectures.intersection(found) else ""
    raise ModelError(f"{folder} holds a {found[0]}, not {kind.noun}{hint}")


def _window(model: Any, tokenizer: Any) -> int | None:
    """Most tokens of a sequence: the model's number of positions, or else the tokenizer's limit."""
    for module_name, module in model.named_modules():
        # RoBERTa and its kin count positions from padding_idx + 1 and so lose that many.
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
    """A text on one line for a message, at most SHOWN characters of it."""
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else f"{line[: SHOWN - 1]}…"
