"""Asks several models the same questions: their speed, and how far their P(true) agree.

Launch:   python -m maieutic.benchmarks.throughput.formats --lm FOLDER --lm FILE.gguf --data FILE [--limit 64]
Data:     a file with a statement and a true/false column, as for ``maieutic bench run file``.
Cost:     with a model of 0.5B parameters on two cores, seconds for a direct answer, minutes for a tree.

It is meant for one model in several formats: a folder opened by Transformers, quantised GGUF files, a server.
The first model is the one that the others are compared with. The models are opened one at a time.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from operator import attrgetter
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from maieutic.benchmarks import run_app
from maieutic.benchmarks.datasets.base import Item
from maieutic.benchmarks.datasets.drawing import draw
from maieutic.benchmarks.datasets.file import FILE
from maieutic.benchmarks.methods import Method
from maieutic.benchmarks.methods.direct import Direct
from maieutic.benchmarks.methods.maieutic import MaieuticMethod
from maieutic.bundled import AGORA
from maieutic.config import ElicitConfig
from maieutic.models import LoadedModels, load_models
from maieutic.pipeline import BATCH_SIZE
from maieutic.render.text import printable

__all__ = ["Agreement", "Answers", "agreement", "ask", "table"]

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


@dataclass(frozen=True, slots=True)
class Answers:
    """What one model answered.

    Attributes:
        name: of the model.
        p_true: direct answers' P(true) by question, in [0, 1]; None where the model judged nothing.
        mass: P(true) + P(false) of each.
        right: share of the questions that the direct answer is right on, in [0, 1].
        direct, maieutic: questions per minute, the reading of the examples included; ``maieutic`` is NaN
            if no trees were grown.
    """

    name: str
    p_true: tuple[float | None, ...]
    mass: tuple[float, ...]
    right: float
    direct: float
    maieutic: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two models agree on P(true), over the questions that both judged; NaN without any.

    Attributes:
        mean, largest: absolute difference.
        equal: share of equal answers, with true from 1/2 on.
        correlation: Pearson's.
    """

    mean: float
    largest: float
    equal: float
    correlation: float


def ask(models: LoadedModels, items: Sequence[Item], trees: int, seed: int = 0) -> Answers:
    """Ask a model all questions directly, and grow trees for the first ``trees`` of them."""
    texts = [item.text for item in items]
    start = time.perf_counter()
    outcomes = [outcome for batch in _batches(texts) for outcome in Direct().run(batch, models)]
    direct = _per_minute(len(items), start)
    start = time.perf_counter()
    method: Method = MaieuticMethod(elicit=ElicitConfig(seed=seed))
    for batch in _batches(texts[:trees]):
        method.run(batch, models)
    maieutic = _per_minute(trees, start) if trees else math.nan
    right = [outcome.answer == item.gold for outcome, item in zip(outcomes, items, strict=True)]
    return Answers(
        models.lm.name,
        tuple(outcome.p_true for outcome in outcomes),
        tuple(outcome.details["mass"] for outcome in outcomes),
        float(np.mean(right)),
        direct,
        maieutic,
    )


def agreement(one: Sequence[float | None], other: Sequence[float | None]) -> Agreement:
    """How far two lists of P(true) agree.

    >>> agreement([0.9, 0.2, None], [0.7, 0.6, 0.5]).equal
    0.5
    """
    pairs = [(p, q) for p, q in zip(one, other, strict=True) if p is not None and q is not None]
    if not pairs:
        return Agreement(math.nan, math.nan, math.nan, math.nan)
    a, b = np.array(pairs).T
    difference = np.abs(a - b)
    varied = len(pairs) > 1 and a.std() > 0 and b.std() > 0
    return Agreement(
        float(difference.mean()),
        float(difference.max()),
        float(((a >= 0.5) == (b >= 0.5)).mean()),
        float(np.corrcoef(a, b)[0, 1]) if varied else math.nan,
    )


def table(answers: Sequence[Answers]) -> str:
    """The answers of several models as Markdown; differences are from the first one."""
    head = (
        "model", "direct, questions a minute", "maieutic, questions a minute", "right",
        "least P(true) + P(false)", "mean difference of P(true)", "largest", "equal answers", "correlation",
    )  # fmt: skip
    lines = [head, ("---",) * len(head)]
    for model in answers:
        found = agreement(answers[0].p_true, model.p_true)
        numbers = (model.direct, model.maieutic, model.right, min(model.mass), *asdict(found).values())
        name = printable(model.name).replace("|", "\\|")
        lines.append((name, *("" if math.isnan(number) else f"{number:.3g}" for number in numbers)))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _batches(texts: Sequence[str]) -> list[Sequence[str]]:
    return [texts[start : start + BATCH_SIZE] for start in range(0, len(texts), BATCH_SIZE)]


def _per_minute(count: int, start: float) -> float:
    return 60 * count / (time.perf_counter() - start)


@app.command()
def formats(  # noqa: PLR0913, PLR0917 - one parameter an option
    lm: Annotated[list[str], typer.Option("--lm", help="A model; give several.", show_default=False)],
    data: Annotated[Path, typer.Option("--data", help="File of questions.", show_default=False)],
    nli: Annotated[str, typer.Option("--nli", help="Verifier of all of them.")] = AGORA,
    prompts: Annotated[str, typer.Option("--prompts", help="As for maieutic ask.")] = "auto",
    limit: Annotated[int, typer.Option("--limit", help="Direct questions; 0 for all.", min=0)] = 64,
    trees: Annotated[int, typer.Option("--trees", help="Questions with trees, of these.", min=0)] = 4,
    seed: Annotated[int, typer.Option("--seed", help="Of the draw and of all sampling.", min=0)] = 0,
    dtype: Annotated[str, typer.Option("--dtype", help="Of models in this process.")] = "auto",
    json_: Annotated[bool, typer.Option("--json", help="Print JSON with every P(true).")] = False,
) -> None:
    """Ask several models the same questions, and show their speed and agreement."""
    items = draw(FILE.read(data, FILE.default_split), limit, seed, attrgetter("pair"))
    trees = min(trees, len(items))
    answers = []
    for name in lm:
        typer.echo(f"{name}: {len(items)} direct answers, {trees} trees", err=True)
        models = load_models(name, nli, prompts=prompts, dtype=dtype)
        answers.append(ask(models, items, trees, seed))
        del models  # its memory, or a process of its own, before the next one opens
    typer.echo(json.dumps([asdict(model) for model in answers]) if json_ else table(answers))


if __name__ == "__main__":
    run_app(app)
