"""``maieutic distill evaluate``: a corpus in numbers, and teachers beside students."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maieutic.bundled import AGORA
from maieutic.cli.opening import opened
from maieutic.cli.options import (
    AskNliOption,
    DeviceOption,
    DownloadOption,
    DtypeOption,
    WeightsOption,
    weights_from,
)
from maieutic.errors import InputError

if TYPE_CHECKING:
    from maieutic.benchmarks.distil.evaluating import Statement

__all__ = ["evaluate"]


def evaluate(
    models: Annotated[
        list[str] | None,
        typer.Argument(help="Language models, such as the teacher and students.", metavar="[MODEL]..."),
    ] = None,
    on: Annotated[
        str,
        typer.Option(
            "--on",
            help="Statements: agora (contested ones of its development split) or labelled triples.",
        ),
    ] = AGORA,
    limit: Annotated[int, typer.Option("--limit", help="Most statements.", min=1)] = 300,
    trees: Annotated[bool, typer.Option("--trees", help="Also the first model with trees.")] = False,
    corpus: Annotated[
        list[Path] | None,
        typer.Option("--corpus", help="Triples to describe; repeat for more.", show_default=False),
    ] = None,
    nli: AskNliOption = None,
    weights: WeightsOption = None,
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    download: DownloadOption = False,
) -> None:
    """Describe corpora, and compare models on statements whose truth is known.

    maieutic distill evaluate agora student --trees
    """
    from maieutic.benchmarks.distil.corpus import corpus_facts
    from maieutic.benchmarks.distil.evaluating import answered_directly, answered_with_trees, evaluation_table
    from maieutic.distil.triples import read_triples
    from maieutic.inference import Joint
    from maieutic.lm import load_lm

    if weights is not None and not trees:
        raise InputError(
            "--weights counts with --trees only; give that too, or leave it out", subject="--weights"
        )
    if not models and not corpus:
        raise InputError("there is nothing to evaluate; name models or --corpus FILE", subject="models")
    for path in corpus or ():
        facts = corpus_facts(read_triples(path))
        truth = f"; of {facts.labelled:,} labelled {facts.right:,} are true" if facts.labelled else ""
        typer.echo(
            f"{path}: {facts.size:,} triples about {facts.heads:,} heads, {facts.unique:.1%} of the "
            f"tails are different, and {facts.diversity:.1%} of the pairs of words{truth}"
        )
    if not models:
        return
    statements = _statements(on)[:limit]
    options: dict[str, Any] = {"device": device, "dtype": dtype, "download": download}
    rows = [answered_directly(name, load_lm(name, **options), statements) for name in models]
    if trees:
        options["inference"] = Joint(weights_from(weights))
        first = opened(models[0], nli, beliefs="probabilities", cache=False, notice=False, **options)
        rows.append(answered_with_trees(f"{models[0]}, with trees", first, statements))
    typer.echo(evaluation_table(rows))


def _statements(on: str) -> list[Statement]:
    from maieutic.benchmarks.agora.questions import questions
    from maieutic.benchmarks.agora.world import load_world
    from maieutic.benchmarks.distil.evaluating import Statement
    from maieutic.cli.console import complain
    from maieutic.distil.lessons import denial
    from maieutic.distil.triples import read_triples
    from maieutic.render.phrases import counted

    if on == AGORA:
        return [Statement(one.statement, one.truth) for one in questions(load_world(), "dev", 10_000)]
    labelled = [one for one in read_triples(Path(on)) if one.label is not None]
    usable = [one for one in labelled if denial(one.statement)]
    if len(usable) < len(labelled):
        complain(f"left out: {counted(len(labelled) - len(usable), 'statement')} that no rule denies")
    return [Statement(one.statement, bool(one.label)) for one in usable]
