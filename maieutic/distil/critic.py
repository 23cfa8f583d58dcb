"""A trained critic: the verifier's encoder with a head for one statement, trained on labelled triples.

It judges each statement alone, as in West et al. 2022, and stands beside the graph for comparison.
"""

from __future__ import annotations

import hashlib
import random
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from maieutic.bundled import AGORA, bundled_folder
from maieutic.checkpoints.devices import resolve_device
from maieutic.checkpoints.finding import find_folder
from maieutic.checkpoints.folders import check_folder
from maieutic.checkpoints.loading import CLASSIFIER, Checkpoint, load_checkpoint
from maieutic.distil.criticise import Judged
from maieutic.distil.stage import RUN, TRAINING, Progressing, StageFolder, checksum, start_training
from maieutic.distil.thresholds import precision_at_recall
from maieutic.distil.triples import Triple
from maieutic.errors import InputError, ModelError
from maieutic.training.loop import Schedule, Trainer

__all__ = [
    "BATCH",
    "LABELS",
    "RECALL",
    "Critic",
    "CriticTraining",
    "criticised",
    "train_critic",
]

LABELS = ("false", "true")
BATCH = 32
RECALL = 0.8  # at which precision decides when to stop
HELD_OUT = 20  # percent of the heads
PATIENCE = 3  # measurements without a better one
BEST = "best.safetensors"


@dataclass(frozen=True, slots=True)
class CriticTraining:
    """How a critic is trained.

    Attributes:
        steps: most optimizer steps; ``every``: steps between two measurements.
    """

    steps: int = 400
    every: int = 25
    rate: float = 5e-4
    seed: int = 0


class Critic:
    """Judges statements, one at a time.

    Raises:
        ModelError: the model's labels are not those of a critic.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        labels = checkpoint.model.config.id2label
        if [labels.get(place) for place in range(len(labels))] != list(LABELS):
            problem = f"{checkpoint.name} is no critic; make one with maieutic distill train-critic"
            raise ModelError(problem, subject=checkpoint.name)
        self._checkpoint = checkpoint

    @classmethod
    def load(cls, folder: str, device: str = "auto") -> Critic:
        """The critic in a folder.

        Raises:
            ModelError: it has no critic.
        """
        return cls(load_checkpoint(folder, CLASSIFIER, device=device, dtype="auto", download=False))

    def p_true(self, statements: Sequence[str]) -> list[float]:
        """P(true) of each statement, in [0, 1]."""
        return _scored(self._checkpoint.model, self._checkpoint.tokenizer, statements)


def train_critic(
    triples: Sequence[Triple],
    encoder: str,
    out: Path,
    report: Progressing,
    how: CriticTraining = CriticTraining(),
    device: str = "auto",
) -> Mapping[str, float]:
    """Train a critic into a folder; a stopped training goes on from its last checkpoint.

    A fifth of the heads is held out. Training ends where the precision at 80 % recall on these has not risen
    for three measurements, and the best critic is kept.

    Args:
        encoder: "agora", or the folder or hub id of a classifier.

    Returns:
        What was measured on the held-out triples.

    Raises:
        InputError: fewer labelled triples than a batch, or none of a label; or the folder is of another run.
        ModelError: the encoder cannot be opened.
    """
    labelled = [one for one in triples if one.label is not None]
    learned = [one for one in labelled if not _held_out(one.head)]
    held_out = [one for one in labelled if _held_out(one.head)]
    for part, what in ((learned, "to learn from"), (held_out, "that are held out")):
        if len({one.label for one in part}) < 2 or len(learned) < BATCH:
            problem = f"of {len(labelled)} labelled triples {len(part)} are {what}; a critic needs true and"
            raise InputError(
                f"{problem} false ones, and {BATCH} to learn from; label more", subject="triples"
            )
    settings = {
        "triples": checksum(one.to_json() for one in labelled),
        "encoder": encoder,
        **asdict(how),
    }
    with StageFolder(out, "train-critic", settings) as folder:
        start_training(out)
        model, tokenizer = _new(encoder, how.seed, resolve_device(device))
        best = _Best(out / BEST, model, tokenizer, held_out)
        schedule = Schedule(how.steps, how.rate, warmup=min(50, how.steps // 10))
        trainer = Trainer(model, _batches(learned, tokenizer, how.seed), schedule, out / TRAINING, report)
        best.since_last(trainer.step)
        trainer.run(how.every, best)
        best(trainer.step)
        model.load_state_dict(load_file(best.path), strict=False)
        model.save_pretrained(out)
        tokenizer.save_pretrained(out)
        metrics = best.metrics
        folder.write("README.md", _card(encoder, len(learned), metrics))
        best.path.unlink()
        shutil.rmtree(out / TRAINING)
    return metrics


def criticised(judged: Sequence[Judged], critic: Critic) -> list[Judged]:
    """The triples with a critic's P(true) in the place of the joint one."""
    scores = critic.p_true([one.triple.statement for one in judged])
    return [replace(one, joint=score) for one, score in zip(judged, scores, strict=True)]


class _Best:
    """Measures a critic in training, keeps the best, and says when it has not got better for a while."""

    def __init__(self, path: Path, model: Any, tokenizer: Any, held_out: Sequence[Triple]) -> None:
        self.path = path
        self._model, self._tokenizer, self._held_out = model, tokenizer, held_out
        self._best = -1.0
        self._worse = 0
        self._measured: int | None = None  # the last step that was measured

    def since_last(self, step: int) -> None:
        """Take up a training that goes on: its best so far is measured again."""
        if step == 0 or not self.path.exists():
            return
        own = {name: value.clone() for name, value in self._model.state_dict().items()}
        self._model.load_state_dict(load_file(self.path), strict=False)
        self._best = self._precision()
        self._model.load_state_dict(own)

    def __call__(self, step: int) -> bool:
        """Measure a step, once, and keep it if it is the best; whether it has not got better for a while."""
        if step == self._measured:
            return self._worse >= PATIENCE
        precision, self._measured = self._precision(), step
        if precision > self._best:
            self._best, self._worse = precision, 0
            state = {name: value.detach().contiguous() for name, value in self._model.state_dict().items()}
            new = self.path.with_suffix(".new")
            save_file(state, new)
            new.replace(self.path)
        else:
            self._worse += 1
        return self._worse >= PATIENCE

    @property
    def metrics(self) -> Mapping[str, float]:
        """Of the best."""
        return {"held-out triples": len(self._held_out), "precision at 80 % recall": self._best}

    def _precision(self) -> float:
        self._model.eval()
        scores = _scored(self._model, self._tokenizer, [one.statement for one in self._held_out])
        self._model.train()
        return precision_at_recall(scores, [one.label is True for one in self._held_out], RECALL)


def _held_out(head: str) -> bool:
    return int.from_bytes(hashlib.sha256(head.encode()).digest()[:4], "big") % 100 < HELD_OUT


def _new(encoder: str, seed: int, device: torch.device) -> tuple[Any, Any]:
    """The encoder with a new head, and its tokenizer."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer  # noqa: PLC0415

    folder = bundled_folder("agora-nli") if encoder == AGORA else find_folder(encoder)
    check_folder(folder)
    torch.manual_seed(seed)
    named = {"id2label": dict(enumerate(LABELS)), "label2id": {name: n for n, name in enumerate(LABELS)}}
    try:
        model = AutoModelForSequenceClassification.from_pretrained(
            folder,
            num_labels=len(LABELS),
            ignore_mismatched_sizes=True,
            use_safetensors=True,
            trust_remote_code=False,
            dtype=torch.float32,
            **named,
        )
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{encoder} cannot be opened ({error}); name a classifier", subject=encoder
        ) from None
    return model.to(device), tokenizer


def _batches(
    triples: Sequence[Triple], tokenizer: Any, seed: int
) -> Callable[[int], dict[str, torch.Tensor]]:
    sides = {label: [one for one in triples if one.label is label] for label in (True, False)}

    def batch(step: int) -> dict[str, torch.Tensor]:
        """Half of it true, half false."""
        rng = random.Random(f"{seed} {step}")  # noqa: S311 - no secret
        rows = [one for side in sides.values() for one in rng.choices(side, k=BATCH // 2)]
        inputs = tokenizer(
            [one.statement for one in rows], padding=True, truncation=True, return_tensors="pt"
        )
        return {**inputs, "labels": torch.tensor([int(one.label is True) for one in rows])}

    return batch


def _scored(model: Any, tokenizer: Any, statements: Sequence[str]) -> list[float]:
    device = next(model.parameters()).device
    scores: list[float] = []
    with torch.inference_mode():
        for start in range(0, len(statements), BATCH):
            texts = list(statements[start : start + BATCH])
            inputs = tokenizer(texts, padding=True, truncation=True, return_tensors="pt").to(device)
            logits = model(**inputs).logits.float()
            scores += logits.softmax(dim=-1)[:, 1].tolist()
    return scores


def _card(encoder: str, count: int, metrics: Mapping[str, float]) -> str:
    rows = "\n".join(f"| {name} | {value:.4g} |" for name, value in metrics.items())
    return f"""# A critic of statements

The encoder of {encoder} with a head (false, true), trained on {count:,} labelled triples; {RUN} has their
checksum and the settings. Measured on heads that it was not trained on:

| | |
| --- | --- |
{rows}
"""
