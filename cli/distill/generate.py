"""``maieutic distill generate``: a model writes triples about heads."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maieutic.bundled import AGORA
from maieutic.cli.distill.stages import OutOption, RelationsOption, finished
from maieutic.cli.options import DeviceOption, DownloadOption, DtypeOption, LmOption, SeedOption

if TYPE_CHECKING:
    from maieutic.distil.relations import Relations

__all__ = ["generate", "relations_for"]


def generate(
    seeds: Annotated[
        str,
        typer.Option(
            "--seeds",
            help="Heads: a file with one a line, everyday (built in), or agora (things of the bundled "
            "world's training split; agora:test for another).",
        ),
    ],
    out: OutOption,
    relations: RelationsOption = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", help="A relation to use; repeat for more.", show_default="all"),
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", help="Most heads, the first ones.", min=1)] = None,
    samples: Annotated[
        int, typer.Option("--samples", help="Tails drawn for each head and relation.", min=1)
    ] = 2,
    temperature: Annotated[float, typer.Option("--temperature", help="Of sampling.", min=0.0)] = 1.0,
    top_p: Annotated[float, typer.Option("--top-p", help="Nucleus sampling.", min=0.0, max=1.0)] = 0.95,
    seed: SeedOption = 0,
    lm: LmOption = AGORA,
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    download: DownloadOption = False,
) -> None:
    """Have a model write triples: a head, a relation, and the tail that it gives them.

    maieutic distill generate --seeds agora --limit 50 --out corpus
    """
    from maieutic.cli.opening import introduce
    from maieutic.distil.generate import TRIPLES, Generating
    from maieutic.distil.generate import generate as states
    from maieutic.lm import is_served, load_lm
    from maieutic.render.phrases import counted

    heads = _heads(seeds)[:limit]
    chosen = relations_for(relations, lm).chosen(only or [])
    how = Generating(samples, temperature, top_p, seed=seed)
    introduce(lm)
    here: dict[str, Any] = {"device": device, "dtype": dtype, "download": download}
    model = load_lm(lm, probabilities=False, **({} if is_served(lm) else here))
    state = finished(
        lambda stopped: states(heads, chosen, model, out, how, stopped),
        len(heads),
        lambda one: one.left,
        "heads",
    )
    typer.echo(f"{len(state.triples):,} triples about {len(heads):,} heads in {out / TRIPLES}")
    if silent := sum(not any(one.suits(head) for one in chosen.relations) for head in heads):
        typer.echo(f"  for {counted(silent, 'head')} no relation applies")
    for reason, count in state.dropped.most_common():
        typer.echo(f"  dropped: {count:,} {reason}")


def relations_for(name: str | None, lm: str) -> Relations:
    """The relations of an option, by default those that suit the language model."""
    from maieutic.distil.relations import load_relations

    return load_relations(name or ("agora" if lm == AGORA else "atomic"))


def _heads(seeds: str) -> list[str]:
    from maieutic.benchmarks.agora.claims import check_split, things_of
    from maieutic.benchmarks.agora.world import load_everyday
    from maieutic.distil.seeds import EVERYDAY, check_heads, read_seeds

    name, _, split = seeds.partition(":")
    if name == AGORA:
        heads = check_heads([*things_of(load_everyday(), check_split(split or "train"))])
    else:
        heads = read_seeds(seeds)
    return _shuffled(heads) if name in (AGORA, EVERYDAY) else heads


def _shuffled(heads: list[str]) -> list[str]:
    """The heads in a fixed random order, so that the first ones are of all kinds."""
    return random.Random(0).sample(heads, len(heads))  # noqa: S311 - no secret
