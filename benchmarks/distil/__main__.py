"""Labels corpora about the bundled world, and measures the precision of what each way of judging keeps.

Launch:   python -m maieutic.benchmarks.distil label corpus/triples.jsonl --out labelled.jsonl
          python -m maieutic.benchmarks.distil table judged/judged.jsonl [--critic FOLDER]
Data:     triples of ``maieutic distill generate --seeds agora``, and what ``criticise`` makes of them.
Cost:     seconds; the stages before take about half a second a statement on one core.

The world knows the truth of some statements only; all others are left out of the table and counted.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maieutic.benchmarks import run_app
from maieutic.benchmarks.distil.corpus import labelled
from maieutic.benchmarks.distil.precision import precisions, table
from maieutic.distil.criticise import read_judged
from maieutic.distil.triples import read_triples
from maieutic.errors import InputError
from maieutic.files.writing import write_whole

__all__ = ["app"]

RECALLS = (0.5, 0.8, 0.95)

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


@app.command()
def label(
    triples: Annotated[Path, typer.Argument(help="JSON lines of triples.")],
    out: Annotated[Path, typer.Option("--out", help="The file to write; must be new.")],
    without: Annotated[
        Path | None,
        typer.Option("--without", help="Triples whose heads are left out: those measured."),
    ] = None,
) -> None:
    """Write triples with the truth that the bundled world knows."""
    if out.exists():
        raise InputError(f"{out} exists; name a new file", subject="--out")
    left_out = {one.head for one in read_triples(without)} if without else set()
    found = labelled([one for one in read_triples(triples) if one.head not in left_out])
    write_whole(out, "".join(f"{one.to_json()}\n" for one in found))
    known = sum(one.label is not None for one in found)
    true = sum(one.label is True for one in found)
    typer.echo(f"{len(found):,} triples, of {known:,} the world knows the truth, {true:,} are true: {out}")


@app.command("table")
def show_table(
    judged: Annotated[Path, typer.Argument(help="judged.jsonl of criticise.")],
    critic: Annotated[Path | None, typer.Option("--critic", help="Folder of train-critic.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the bootstrap.", min=0)] = 0,
) -> None:
    """Print the precision of what each way of judging keeps, at equal recall."""
    read = read_judged(judged)
    known = labelled([one.triple for one in read])
    rows = [(one, triple.label) for one, triple in zip(read, known, strict=True) if triple.label is not None]
    kept = [one for one, _ in rows]
    more = {}
    if critic is not None:
        from maieutic.distil.critic import Critic  # noqa: PLC0415 - loads torch

        scores = Critic.load(str(critic)).p_true([one.triple.statement for one in kept])
        more["trained critic"] = scores
    cells = precisions(kept, [truth for _, truth in rows], RECALLS, more, seed)
    typer.echo(table(cells))
    typer.echo(
        f"\n{len(rows):,} of {len(read):,} statements, {len({one.triple.head for one in kept}):,} heads; "
        "the world does not know the truth of the others. In brackets: 95 %, bootstrap over heads."
    )


if __name__ == "__main__":
    run_app(app)
