"""``maieutic distill train`` and ``train-critic``: models that learn from judged or labelled triples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from maieutic.bundled import AGORA
from maieutic.cli.console import Pulse, complain
from maieutic.cli.distill.stages import TriplesArgument
from maieutic.cli.options import DeviceOption, SeedOption

__all__ = ["train", "train_critic"]

ModelFolderOption = Annotated[
    Path, typer.Option("--out", help="Folder of the model: a new one, or that of a stopped training.")
]


def train(
    judged: Annotated[
        Path,
        typer.Argument(help="judged.jsonl of criticise.", metavar="JUDGED", show_default=False),
    ],
    out: ModelFolderOption,
    keep: Annotated[
        str, typer.Option("--keep", help="What survives: low, medium or high recall, or all.")
    ] = "medium",
    by: Annotated[
        str, typer.Option("--by", help="P(true) that decides: joint, tree, direct, or a critic's folder.")
    ] = "joint",
    steps: Annotated[int, typer.Option("--steps", help="Optimizer steps.", min=1)] = 600,
    rows: Annotated[
        int, typer.Option("--rows", help="Rows in a batch, of 128 tokens or the longest document.", min=1)
    ] = 16,
    start: Annotated[
        str,
        typer.Option(
            "--from",
            help="Model to go on from: agora, a folder or a hub id in the cache.",
            show_default="one of agora-lm's shape, from scratch",
        ),
    ] = "",
    lora: Annotated[
        int,
        typer.Option("--lora", help="Train low-rank adapters of this rank only, for large models.", min=0),
    ] = 0,
    rate: Annotated[
        float | None,
        typer.Option("--rate", help="Largest learning rate.", min=0.0, show_default="by kind of training"),
    ] = None,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
) -> None:
    """Train a language model on the triples that survive.

    maieutic distill train judged/judged.jsonl --keep medium --out student
    """
    from maieutic.distil.criticise import read_judged
    from maieutic.distil.student import StudentTraining, sift, train_student

    how = StudentTraining(steps, rows, start, lora, rate, seed)
    read = read_judged(judged)
    if by not in ("joint", "tree", "direct"):
        from maieutic.distil.critic import Critic, criticised

        read, way = criticised(read, Critic.load(by, device)), "joint"
    else:
        way = by
    sifted = sift(read, keep, way)
    if unknown := sum(getattr(one, way) is None for one in read):
        complain(f"{unknown:,} triples have no P(true) by {way}; that of the tree, or 1/2, counts")
    complain(
        f"{len(sifted.kept):,} of {len(read):,} triples survive ({keep}, by {by}); "
        f"{len(sifted.refuted):,} are learned as false"
    )
    with _reported(steps) as report:
        parameters = train_student(sifted, out, report, how, device)
    typer.echo(f"a student of {parameters:,} parameters is in {out}; ask it with --lm {out}")


def train_critic(
    triples: TriplesArgument,
    out: ModelFolderOption,
    encoder: Annotated[
        str, typer.Option("--encoder", help="Verifier whose encoder is trained: agora, a folder or a hub id.")
    ] = AGORA,
    steps: Annotated[int, typer.Option("--steps", help="Most optimizer steps.", min=1)] = 400,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
) -> None:
    """Train a critic that judges one statement alone, on triples with a label, for comparison.

    maieutic distill train-critic labelled.jsonl --out critic
    """
    from maieutic.distil.critic import CriticTraining
    from maieutic.distil.critic import train_critic as trained
    from maieutic.distil.triples import read_triples

    read = read_triples(triples)
    with _reported(steps) as report:
        metrics = trained(read, encoder, out, report, CriticTraining(steps, seed=seed), device)
    for name, value in metrics.items():
        typer.echo(f"{name}: {value:.4g}")


@contextmanager
def _reported(steps: int) -> Iterator[Callable[[int, float], None]]:
    """A function that shows a step and its loss now and then.

    Raises:
        typer.Exit: with code 130 after Ctrl-C; the last checkpoint stays.
    """
    pulse = Pulse()
    try:
        yield lambda step, loss: pulse(f"step {step:,} of {steps:,}, loss {loss:.4f}")
    except KeyboardInterrupt:
        complain("interrupted; the same command continues from the last checkpoint")
        raise typer.Exit(130) from None
