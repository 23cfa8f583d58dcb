"""Students: language models that learn what survived, from scratch or from a model that is there already."""

from __future__ import annotations

import math
import shutil
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from maieutic.bundled import AGORA, bundled_folder, words, write_checksums
from maieutic.checkpoints.devices import resolve_device
from maieutic.checkpoints.loading import LANGUAGE_MODEL, Checkpoint, load_checkpoint
from maieutic.distil.criticise import Judged, p_true_of
from maieutic.distil.lessons import documents_of, lesson_batches, lessons_of
from maieutic.distil.stage import RUN, TRAINING, Progressing, StageFolder, checksum, start_training
from maieutic.distil.thresholds import RECALLS, levels
from maieutic.distil.triples import Triple
from maieutic.errors import InputError
from maieutic.extras import extra_library
from maieutic.lm.base import Prompt
from maieutic.lm.known_words import KNOWN_WORDS, words_in
from maieutic.lm.local.model import TransformersLM
from maieutic.lm.local.tokens import Vocabulary
from maieutic.prompts import load_prompts
from maieutic.training.loop import Schedule, Trainer
from maieutic.training.networks import LM_WINDOW, causal_loss, lm_tokenizer, new_lm

__all__ = ["ALL", "Sifted", "StudentTraining", "sift", "train_student"]

ALL = "all"  # as a level: everything survives
PROMPTS = "agora"
TOKENIZER_LISTS = 5  # copies of the word list that the tokenizer sees
ROW_TOKENS = 128
RATES = {"scratch": 3e-3, "model": 1e-3, "adapters": 2e-4}


@dataclass(frozen=True, slots=True)
class StudentTraining:
    """How a student is trained.

    Attributes:
        rows: of 128 tokens in a batch, or as many as the longest document has, ≥ 1.
        start: the model that it begins as, a folder, a hub id or "agora"; "" for one of agora-lm's shape
            that begins with random weights.
        lora: rank of low-rank adapters (Hu et al. 2022, arXiv 2106.09685) that alone are trained, and added
            to the weights at the end; 0 to train all weights.
        rate: the largest learning rate; None for one that suits the kind of training.

    Raises:
        InputError: a number is out of its range, or adapters without a model that they adapt; ``subject`` is
            its name.
    """

    steps: int = 600
    rows: int = 16
    start: str = ""
    lora: int = 0
    rate: float | None = None
    seed: int = 0
    save_every: int = 100

    def __post_init__(self) -> None:
        for name, least in (("steps", 1), ("rows", 1), ("lora", 0), ("save_every", 1)):
            if getattr(self, name) < least:
                raise InputError(f"{name} must be ≥ {least}, not {getattr(self, name)}", subject=name)
        if self.rate is not None and not 0.0 < self.rate < math.inf:
            raise InputError(f"rate must be > 0, not {self.rate}", subject="rate")
        if self.lora and not self.start:
            problem = "low-rank adapters need a model that is trained already"
            raise InputError(f"{problem}; give --from, or leave --lora out", subject="lora")

    @property
    def largest_rate(self) -> float:
        """The largest learning rate."""
        kind = "adapters" if self.lora else "model" if self.start else "scratch"
        return RATES[kind] if self.rate is None else self.rate


@dataclass(frozen=True)
class _Start:
    """A model before it is trained.

    Attributes:
        documents: what it is to learn, asked in its own way.
        known: the words that its folder is to list as known; None for no list.
    """

    checkpoint: Checkpoint
    documents: Sequence[tuple[Prompt | None, str]]
    known: Sequence[str] | None


@dataclass(frozen=True)
class Sifted:
    """What a level of P(true) lets through.

    Attributes:
        kept: triples that are learned as true.
        refuted: triples whose statements are learned as false, since their negations would be kept.
    """

    kept: tuple[Triple, ...]
    refuted: tuple[Triple, ...] = ()


def sift(judged: Sequence[Judged], level: str, way: str = "joint") -> Sifted:
    """What a level keeps, by one way of judging; all, and nothing as false, for :data:`ALL`.

    Raises:
        InputError: there is no such level or way.
    """
    if level == ALL:
        return Sifted(tuple(one.triple for one in judged))
    if level not in RECALLS:
        names = ", ".join((*RECALLS, ALL))
        raise InputError(f"no level is named {level!r}; give one of {names}", subject=level)
    scores = [p_true_of(one, way) for one in judged]
    (threshold,) = [each.threshold for each in levels(scores) if each.name == level]
    scored = list(zip(judged, scores, strict=True))
    kept = tuple(one.triple for one, score in scored if score >= threshold)
    return Sifted(kept, tuple(one.triple for one, p in scored if p < threshold and 1.0 - p >= threshold))


def train_student(
    sifted: Sifted,
    out: Path,
    report: Progressing,
    how: StudentTraining = StudentTraining(),
    device: str = "auto",
) -> int:
    """Train a language model into a folder; a stopped training goes on.

    The folder is that of a model like any other: safetensors, tokenizer, known words, checksums, and a card
    with the checksum of the data.

    Returns:
        The number of the student's parameters.

    Raises:
        InputError: fewer triples than rows of a batch, the folder is not empty and of no such run, or peft is
            not installed.
        ModelError: the model to begin with cannot be opened, or uses no such prompts.
        ContextLengthError: a document does not fit its window.
        MaieuticError: a checkpoint cannot be written; the previous one stays.
    """
    if how.lora:
        extra_library("peft", "lora")  # before a model is opened
    if len(sifted.kept) < how.rows:
        problem = f"{len(sifted.kept)} triples survive, fewer than the {how.rows} rows of a batch"
        raise InputError(f"{problem}; keep more of them (--keep), or give fewer --rows", subject="triples")
    begun = _from_model(sifted, how.start, device) if how.start else _from_scratch(sifted, how.seed, device)
    opened, vocabulary = begun.checkpoint, Vocabulary(begun.checkpoint)
    lessons = lessons_of(begun.documents, vocabulary)
    counts = {"statements": len(sifted.kept), "refuted": len(sifted.refuted)}
    read = checksum(one.to_json() for each in (sifted.kept, sifted.refuted) for one in each)
    model_read = opened.fingerprint if how.start else ""
    settings = {**counts, "sha256": read, **asdict(how), "start_fingerprint": model_read}
    with StageFolder(out, "train", settings) as folder:
        start_training(out)
        torch.manual_seed(how.seed)  # of adapters
        model = _adapted(opened.model, how.lora) if how.lora else opened.model
        batches = lesson_batches(lessons, how.rows, ROW_TOKENS, vocabulary.pad, how.seed)
        verdicts = sorted({one.tokens[one.unlearned] for one in lessons if one.unlearned})
        loss = partial(causal_loss, answers=verdicts)
        schedule = Schedule(how.steps, how.largest_rate, warmup=min(100, how.steps // 10))
        losses: dict[int, float] = {}

        def noted(step: int, mean: float) -> None:
            losses[step] = mean
            report(step, mean)

        trainer = Trainer(model, batches, schedule, out / TRAINING, noted, loss, muon=not how.lora)
        trainer.run(how.save_every)
        if how.lora:
            model = model.merge_and_unload()
        model.to(torch.bfloat16).save_pretrained(out)
        opened.tokenizer.save_pretrained(out)
        if begun.known is not None:
            folder.write(KNOWN_WORDS, "\n".join(begun.known) + "\n")
        folder.write("README.md", _card(model, settings, losses))
        shutil.rmtree(out / TRAINING)
    write_checksums(out)
    return int(model.num_parameters())


def _from_scratch(sifted: Sifted, seed: int, device: str) -> _Start:
    """A model of agora-lm's shape with random weights, and a tokenizer of what it is to read."""
    documents = documents_of(sifted.kept, sifted.refuted, load_prompts(PROMPTS))
    texts = [f"{prompt.text() if prompt else ''}{reply}" for prompt, reply in documents]
    known = sorted({word for text in texts for word in words(text)})
    tokenizer = lm_tokenizer([*texts, *[f" {' '.join(known)}"] * TOKENIZER_LISTS])
    place = resolve_device(device)
    model = new_lm(tokenizer, seed).to(place)
    opened = Checkpoint("student", model, tokenizer, place, torch.float32, LM_WINDOW, Path())
    return _Start(opened, documents, known)


def _from_model(sifted: Sifted, start: str, device: str) -> _Start:
    """A model that is trained already, in float32, with the prompts that suit it."""
    name = str(bundled_folder("agora-lm")) if start == AGORA else start
    opened = load_checkpoint(name, LANGUAGE_MODEL, device=device, dtype="float32")
    known = words_in(opened.folder)
    if known is not None:
        read = (*sifted.kept, *sifted.refuted)
        known |= {word for one in read for word in words(one.statement)}
    prompts = load_prompts(TransformersLM(opened).prompts)
    documents = documents_of(sifted.kept, sifted.refuted, prompts)
    return _Start(opened, documents, None if known is None else sorted(known))


def _adapted(model: Any, rank: int) -> Any:
    """The model with trainable low-rank adapters at all its linear layers, and all else frozen."""
    peft = extra_library("peft", "lora")
    linear = peft.LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear", task_type="CAUSAL_LM")
    with warnings.catch_warnings():  # peft reads an attribute that Transformers will rename
        warnings.simplefilter("ignore", FutureWarning)
        return peft.get_peft_model(model, linear)


def _card(model: Any, settings: Mapping[str, object], losses: Mapping[int, float]) -> str:
    last = f"{losses[max(losses)]:.4f}" if losses else "not measured since it was resumed"
    begun = f"continued from {settings['start']}" if settings["start"] else "trained from scratch"
    adapters = f", through low-rank adapters of rank {settings['lora']}" if settings["lora"] else ""
    return f"""---
pipeline_tag: text-generation
library_name: transformers
---

# A student

{type(model).__name__}, {begun}{adapters}.
It learned {settings["statements"]:,} statements of another model as facts, as questions about them and
their negations, and as triples, and questions about {settings["refuted"]:,} that were judged false.
{model.num_parameters():,} parameters, bfloat16, safetensors.

| | |
| --- | --- |
| SHA-256 of the statements | `{settings["sha256"]}` |
| steps × rows | {settings["steps"]} × {settings["rows"]} |
| seed | {settings["seed"]} |
| last mean loss in training, nats a token | {last} |

What it says was never checked by a person. `{RUN}` has all settings and versions.
"""
