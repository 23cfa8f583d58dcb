"""``maieutic distill``: from what a model says to statements that fit together and models that learn them."""

from __future__ import annotations

import typer

from maieutic.cli.distill.criticise import criticise
from maieutic.cli.distill.evaluate import evaluate
from maieutic.cli.distill.generate import generate
from maieutic.cli.distill.train import train, train_critic

__all__ = ["distill"]

distill = typer.Typer(no_args_is_help=True)


@distill.callback()
def _distill() -> None:
    """Distil a model: generate statements, criticise them together, train on what survives."""


for command in (generate, criticise, train_critic, train, evaluate):
    distill.command()(command)
