"""A resumable training loop with checkpoints: Muon and AdamW, linear warm-up and cosine decay.

Muon (Jordan 2024) trains the matrices of hidden layers, since it needs fewer steps here than AdamW; AdamW
trains embeddings, norms and biases. Checkpoints are safetensors files.
"""

from __future__ import annotations

import json
import math
import multiprocessing
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch.utils.data import DataLoader, Dataset
from transformers import PreTrainedModel

from maieutic.errors import InputError, MaieuticError
from maieutic.training.muon import Muon

__all__ = ["Batches", "Loss", "Schedule", "Trainer", "own_loss"]

# step → keyword arguments of the model, including "labels"
Batches = Callable[[int], dict[str, torch.Tensor]]

# (model, batch) → scalar
Loss = Callable[[Any, dict[str, torch.Tensor]], torch.Tensor]

CHECKPOINT = "checkpoint"
UNFINISHED, PREVIOUS = f"{CHECKPOINT}.new", f"{CHECKPOINT}.old"
LOG_EVERY = 20  # steps


@dataclass(frozen=True, slots=True)
class Schedule:
    """Number of steps and learning rates.

    Attributes:
        steps: number of optimizer steps.
        rate: the largest learning rate.
        warmup: steps of linear warm-up to ``rate``; then a cosine decays to a twentieth of it.
        weight_decay: for the matrices of hidden layers.
    """

    steps: int
    rate: float
    warmup: int = 100
    weight_decay: float = 0.05

    def rate_at(self, step: int) -> float:
        """The learning rate of a step, counted from 0.

        >>> Schedule(steps=1000, rate=1.0, warmup=100).rate_at(49)
        0.5
        """
        if step < self.warmup:
            return self.rate * (step + 1) / self.warmup
        progress = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.rate * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))


def own_loss(model: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """The loss that a Transformers model computes itself."""
    loss: torch.Tensor = model(**batch).loss
    return loss


class Trainer:
    """Trains one model in one folder.

    Args:
        folder: holds the checkpoint until the run is finished.
        report: called with (step, mean loss since the last report).
        loss: the loss function; by default the model's own loss.
        muon: whether Muon trains the matrices of hidden layers; AdamW does otherwise.

    Raises:
        InputError: the folder contains other files or a run of another length. ``subject`` is the option.
        MaieuticError: a checkpoint cannot be written; the previous one is kept. ``subject`` is the folder.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        batches: Batches,
        schedule: Schedule,
        folder: Path,
        report: Callable[[int, float], None],
        loss: Loss = own_loss,
        *,
        muon: bool = True,
    ) -> None:
        self.model = model
        self.batches = batches
        self.schedule = schedule
        self.folder = folder
        self.report = report
        self.loss = loss
        self.device = next(model.parameters()).device
        self.halved = self.device.type != "cpu" or _computes_bfloat16()
        precision = torch.bfloat16 if self.halved else torch.float32
        self.optimizers = _optimizers(model, schedule, precision, muon=muon)
        self.step = self._resume()

    def run(
        self, save_every: int = 200, enough: Callable[[int], bool] = lambda _: False, workers: int = 0
    ) -> None:
        """Train to the end of the schedule and save a checkpoint every ``save_every`` steps.

        Args:
            enough: asked with the step after each checkpoint; True ends training early.
            workers: processes that make batches ahead of the steps, ≥ 0; no result depends on it.
        """
        self.model.train()
        losses: list[float] = []
        for made in _prefetched(self.batches, range(self.step, self.schedule.steps), workers):
            for optimizer in self.optimizers:
                for group in optimizer.param_groups:
                    group["lr"] = self.schedule.rate_at(self.step)
            batch = {name: tensor.to(self.device) for name, tensor in made.items()}
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.halved):
                loss = self.loss(self.model, batch)
            torch.autograd.backward(loss)
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            for optimizer in self.optimizers:
                optimizer.step()
                optimizer.zero_grad()
            losses.append(loss.item())
            self.step += 1
            if self.step % LOG_EVERY == 0 or self.step == self.schedule.steps:
                self.report(self.step, sum(losses) / len(losses))
                losses.clear()
            if self.step % save_every == 0:
                self.save()
                if enough(self.step):
                    break
        self.model.eval()

    def save(self) -> None:
        """Write a checkpoint next to the old one, then replace the old one."""
        new = self.folder / UNFINISHED
        shutil.rmtree(new, ignore_errors=True)
        try:
            new.mkdir(parents=True)
            save_file(_plain(self._trained()), new / "model.safetensors")
            save_file(self._moments(), new / "optimizer.safetensors")
            (new / "state.json").write_text(json.dumps({"step": self.step, "of": self.schedule.steps}))
            old, previous = self.folder / CHECKPOINT, self.folder / PREVIOUS
            shutil.rmtree(previous, ignore_errors=True)
            if old.exists():
                old.rename(previous)
            new.rename(old)
            shutil.rmtree(previous, ignore_errors=True)
        except Exception as error:  # safetensors raises its own type for a full disk
            shutil.rmtree(new, ignore_errors=True)
            raise MaieuticError(
                f"the checkpoint of step {self.step} cannot be written to {self.folder} ({error}); "
                "make room and start again to resume from the previous checkpoint",
                subject=str(self.folder),
            ) from error

    def finish(self) -> None:
        """Remove the checkpoint; call this after saving the model."""
        for name in (CHECKPOINT, UNFINISHED, PREVIOUS):
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def _trained(self) -> Iterator[tuple[str, torch.Tensor]]:
        """The model's state without what is frozen."""
        named = self.model.named_parameters(remove_duplicate=False)  # tied ones under all their names
        frozen = {name for name, value in named if not value.requires_grad}
        return ((name, value) for name, value in self.model.state_dict().items() if name not in frozen)

    def _moments(self) -> dict[str, torch.Tensor]:
        return _plain(
            (f"{which}.{number}.{name}", value)
            for which, optimizer in enumerate(self.optimizers)
            for number, values in optimizer.state_dict()["state"].items()
            for name, value in values.items()
        )

    def _resume(self) -> int:
        checkpoint = self.folder / CHECKPOINT
        if not checkpoint.is_dir() and (previous := self.folder / PREVIOUS).is_dir():
            previous.rename(checkpoint)  # the process was ended between the two renamings of a checkpoint
        if not checkpoint.is_dir():
            if self.folder.is_dir() and any(path.name != UNFINISHED for path in self.folder.iterdir()):
                raise InputError(f"{self.folder} is not empty; give --out a new folder", subject="--out")
            return 0
        state = json.loads((checkpoint / "state.json").read_text())
        if state["of"] != self.schedule.steps:
            raise InputError(
                f"{self.folder} has a run of {state['of']} steps, not {self.schedule.steps}; "
                "give the same --steps or another --out",
                subject="--steps",
            )
        self.model.load_state_dict(load_file(checkpoint / "model.safetensors"), strict=False)
        moments: list[dict[int, dict[str, Any]]] = [{} for _ in self.optimizers]
        for key, value in load_file(checkpoint / "optimizer.safetensors").items():
            which, number, name = key.split(".", 2)
            moments[int(which)].setdefault(int(number), {})[name] = value
        for optimizer, values in zip(self.optimizers, moments, strict=True):
            groups = optimizer.state_dict()["param_groups"]
            optimizer.load_state_dict({"state": values, "param_groups": groups})
        return int(state["step"])


class _Steps(Dataset[dict[str, torch.Tensor]]):
    """Batches by their step, as a data set."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches

    def __getitem__(self, step: int) -> dict[str, torch.Tensor]:
        return self._batches(step)


def _prefetched(batches: Batches, steps: range, workers: int) -> Iterator[dict[str, torch.Tensor]]:
    """The batches of the steps, in their order; made by that many processes, if any."""
    if workers == 0:
        return map(batches, steps)
    if "fork" not in multiprocessing.get_all_start_methods():
        problem = "processes that make batches need fork, which this system lacks"
        raise InputError(f"{problem}; leave --workers out", subject="--workers")
    alone = torch.Generator()  # what it draws must not move the state of the model's
    options: dict[str, Any] = {"batch_size": None, "num_workers": workers, "multiprocessing_context": "fork"}
    return iter(DataLoader(_Steps(batches), sampler=steps, generator=alone, **options))


def _computes_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 matrices itself; elsewhere they take ten times as long."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def _optimizers(
    model: torch.nn.Module, schedule: Schedule, dtype: torch.dtype, *, muon: bool
) -> list[torch.optim.Optimizer]:
    """Muon, computing in ``dtype``, for matrices of hidden layers; AdamW for all else, or without Muon."""
    tables = {id(m.weight) for m in model.modules() if isinstance(m, torch.nn.Embedding)}
    if isinstance(model, PreTrainedModel) and (head := model.get_output_embeddings()) is not None:
        tables.add(id(head.weight))
    hidden: list[torch.nn.Parameter] = []
    others: list[torch.nn.Parameter] = []
    for parameter in (p for p in model.parameters() if p.requires_grad):
        is_hidden = muon and parameter.dim() == 2 and id(parameter) not in tables
        (hidden if is_hidden else others).append(parameter)
    optimizers: list[torch.optim.Optimizer] = []
    if hidden:
        optimizers.append(Muon(hidden, schedule.rate, schedule.weight_decay, dtype=dtype))
    if others:
        optimizers.append(torch.optim.AdamW(others, lr=schedule.rate, weight_decay=0.0, betas=(0.9, 0.95)))
    return optimizers


def _plain(named: Iterable[tuple[str, Any]]) -> dict[str, torch.Tensor]:
    """Contiguous copies without shared memory, which safetensors can write."""
    return {name: value.detach().clone().contiguous() for name, value in named}
