"""``maieutic distill criticise``: P(true) of triples, each and together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maieutic.bundled import AGORA
from maieutic.cli.distill.generate import relations_for
from maieutic.cli.distill.stages import OutOption, RelationsOption, TriplesArgument, finished
from maieutic.cli.opening import opened
from maieutic.cli.options import (
    AskNliOption,
    BeliefsOption,
    BudgetOption,
    CacheOption,
    ConfidenceOption,
    DeviceOption,
    DownloadOption,
    DtypeOption,
    JsonOption,
    LmOption,
    PriorsOption,
    PromptsOption,
    SeedOption,
    WeightsOption,
    weights_from,
)
from maieutic.cli.outputs import ForceOption, file_option, try_output, write_output
from maieutic.config import PROBABILITIES

if TYPE_CHECKING:
    from maieutic.distil.criticise import Criticised

__all__ = ["criticise"]


def criticise(
    triples: TriplesArgument,
    out: OutOption,
    relations: RelationsOption = None,
    neighbours: Annotated[
        int,
        typer.Option("--neighbours", help="Most heads, named by tails, whose statements take part.", min=0),
    ] = 2,
    pairs: Annotated[
        int,
        typer.Option("--pairs", help="Most pairs that the verifier compares across a head's trees.", min=0),
    ] = 5_000,
    together: Annotated[
        int, typer.Option("--heads", help="Heads whose trees grow together; more keep a GPU busy.", min=1)
    ] = 2,
    statements: Annotated[
        float,
        typer.Option(
            "--statements",
            help="Weight of what the verifier says of two statements; 1 where it judges them well.",
            min=0.0,
        ),
    ] = 0.0,
    lm: LmOption = AGORA,
    nli: AskNliOption = None,
    prompts: PromptsOption = "auto",
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    download: DownloadOption = False,
    cache: CacheOption = False,
    beliefs: BeliefsOption = PROBABILITIES,
    confidence: ConfidenceOption = 0.9,
    budget: BudgetOption = 80,
    priors: PriorsOption = True,
    seed: SeedOption = 0,
    weights: WeightsOption = None,
    json: JsonOption = False,
    html: Annotated[Path | None, file_option("--html", "Write the graph as a page.")] = None,
    force: ForceOption = False,
) -> None:
    """Judge triples: each statement directly and by its tree, and all about a head together.

    maieutic distill criticise corpus/triples.jsonl --out judged
    """
    from maieutic.cli.console import complain
    from maieutic.config import ElicitConfig
    from maieutic.distil.criticise import TIES, Criticising
    from maieutic.distil.criticise import criticise as states
    from maieutic.distil.page import graph_page
    from maieutic.distil.triples import read_triples
    from maieutic.inference import Joint
    from maieutic.lm.known_words import unmet_words_warning

    if html is not None:
        try_output("--html", html, force=force, reads=[triples])
    read, known = read_triples(triples), relations_for(relations, lm)
    known.chosen([triple.relation for triple in read])  # before models load
    config = ElicitConfig(confidence=confidence, budget=budget, priors=priors, seed=seed)
    options: dict[str, Any] = {"device": device, "dtype": dtype, "download": download, "prompts": prompts}
    options |= {"elicit": config, "inference": Joint(weights_from(weights))}
    maieutic = opened(lm, nli, beliefs=beliefs, cache=cache, **options)
    if warning := unmet_words_warning(maieutic.lm, {one.head: None for one in read}):
        complain(f"Warning: {warning}.")
    how = Criticising(together, neighbours, ties=replace(TIES, budget=pairs, statements=statements))
    heads = len({triple.head for triple in read})
    state = finished(
        lambda stopped: states(read, known, maieutic, out, how, stopped),
        heads,
        lambda one: one.left,
        "heads",
    )
    if html is not None:
        write_output(html, graph_page(state.judged).encode(), force=force)
        complain(f"wrote {html}")
    _print(state, out, json=json)


def _print(state: Criticised, out: Path, *, json: bool) -> None:
    from maieutic.distil.criticise import JUDGED
    from maieutic.files.json_text import dump_json

    if json:
        for level in state.levels:
            typer.echo(dump_json(level))
        counts = {"unsummed": state.unsummed, "unjudged": state.unjudged, "left_out": state.left_out}
        typer.echo(dump_json(counts))
        return
    typer.echo(f"{len(state.judged):,} judged triples in {out / JUDGED}")
    for level in state.levels:
        measured = f", of {level.labelled:,} labelled {level.right:,} true" if level.labelled else ""
        typer.echo(
            f"  {level.name} recall ({level.recall:.0%}): P(true) ≥ {level.threshold:.3f} "
            f"keeps {level.size:,}, "
            f"estimated precision {level.precision:.1%}{measured}"
        )
    for count, what in (
        (state.unsummed, "statements are in a graph too dense to sum; their P(true) is that of their tree"),
        (
            state.unjudged,
            "statements the model judged neither true nor false; without others their P(true) is 1/2",
        ),
        (state.left_out, "pairs of texts were left unrelated (--pairs)"),
    ):
        if count:
            typer.echo(f"  {count:,} {what}")
