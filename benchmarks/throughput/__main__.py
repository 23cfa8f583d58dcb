"""Measures the engine's speed beside what others offer for the same work, side by side in one run.

Launch:   python -m maieutic.benchmarks.throughput [--lm MODEL | --random-weights SHAPE] [--out FILE.json]
Data:     none; models are bundled, given, or built with random weights, and nothing is downloaded.
Cost:     some 40 minutes for the 135M shape on two cores, minutes on a GPU.

The packages that it compares with are installed by ``pip install 'maieutic[throughput]'``; a row without
its package says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from rich.console import Console

from maieutic.benchmarks.throughput.clock import Clock
from maieutic.benchmarks.throughput.hardware import machine
from maieutic.benchmarks.throughput.models import about_model, open_subject, open_verifier
from maieutic.benchmarks.throughput.rows import Row
from maieutic.benchmarks.throughput.sections import SECTIONS, chosen_sections
from maieutic.benchmarks.throughput.shapes import shape_names
from maieutic.benchmarks.throughput.table import as_json, as_markdown, show
from maieutic.benchmarks.throughput.workbench import Workbench
from maieutic.devices import resolve_device, resolve_dtype
from maieutic.errors import InputError, MaieuticError
from maieutic.nli.transformers import TransformersVerifier

__all__ = ["app"]

QUESTIONS = {"cpu": 16, "cuda": 256}

app = typer.Typer(pretty_exceptions_enable=False)


@app.command()
def main(  # noqa: PLR0913, PLR0917 - one parameter an option
    lm: Annotated[str, typer.Option("--lm", help="agora (bundled), a folder or a cached hub id.")] = "agora",
    random_weights: Annotated[
        str,
        typer.Option(
            "--random-weights",
            help=f"Instead of --lm: {', '.join(shape_names('lm'))}, or a config.json.",
            show_default=False,
        ),
    ] = "",
    nli: Annotated[
        str, typer.Option("--nli", help="Verifier: agora, a folder or a cached hub id.")
    ] = "agora",
    random_verifier: Annotated[
        str,
        typer.Option(
            "--random-verifier",
            help=f"Instead of --nli: {', '.join(shape_names('nli'))}, or a config.json.",
            show_default=False,
        ),
    ] = "",
    prompts: Annotated[
        str, typer.Option("--prompts", help="paper, chat, agora, a TOML file, or auto.")
    ] = "auto",
    only: Annotated[
        str, typer.Option("--only", help=f"Some of {','.join(SECTIONS)}.", show_default="all")
    ] = "",
    questions: Annotated[
        int,
        typer.Option(
            "--questions", help="That grow together; an even number.", min=0, show_default="16, on CUDA 256"
        ),
    ] = 0,
    new_tokens: Annotated[int, typer.Option("--new-tokens", help="Of each text.", min=2, max=63)] = 24,
    repeats: Annotated[int, typer.Option("--repeats", help="Of each measurement.", min=1)] = 3,
    pairs_from: Annotated[
        Path | None,
        typer.Option(
            "--pairs-from",
            help="File of trees (.jsonl, .jsonl.gz) whose pairs are scored.",
            show_default="made-up pairs",
        ),
    ] = None,
    device: Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:N.")] = "auto",
    dtype: Annotated[str, typer.Option("--dtype", help="auto, float32, bfloat16 or float16.")] = "auto",
    json: Annotated[bool, typer.Option("--json", help="Print JSON, all repeats included.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write that JSON to a file, too.", show_default=False)
    ] = None,
) -> None:
    """Measure the engine's speed beside what others offer for the same work."""
    target = resolve_device(device)
    number_format = resolve_dtype(dtype, target)
    count = questions or QUESTIONS[target.type]
    if count % 2:
        raise InputError(f"--questions must be even (every second one gets a large tree), not {count}")
    sections = chosen_sections(only)
    if out is not None and (out.exists() or not out.parent.is_dir()):
        raise InputError(f"--out {out}: give a new file in a folder that exists")
    with TemporaryDirectory() as scratch:
        subject = open_subject(lm, random_weights, prompts, target, number_format)
        checkpoint = open_verifier(nli, random_verifier, target, number_format, Path(scratch))
        bench = Workbench(
            subject,
            checkpoint,
            TransformersVerifier(checkpoint),
            Clock(target, repeats),
            count,
            new_tokens,
            pairs_from,
        )
        about = {
            "machine": machine(target),
            "lm": subject.about,
            "verifier": about_model(checkpoint) | {"name": random_verifier or nli},
            "repeats": repeats,
            "questions": count,
            "new_tokens": new_tokens,
        }
        rows = _measured(bench, sections, about, out)
    if json:
        typer.echo(as_json(about, rows))
    elif (console := Console()).is_terminal:
        show(console, about, rows)
    else:
        typer.echo(as_markdown(about, rows))


def _measured(bench: Workbench, sections: list[str], about: Mapping[str, Any], out: Path | None) -> list[Row]:
    """The rows of the sections, those of costs last; ``out`` is written after each."""
    rows: list[Row] = []
    for place, name in enumerate(sections, 1):
        typer.echo(f"{place}/{len(sections)} {name} …", err=True)
        rows = sorted([*rows, *SECTIONS[name](bench)], key=lambda row: row.section == "cost")
        if out is not None:
            try:
                out.write_text(as_json(about, rows) + "\n", encoding="utf-8")
            except OSError as error:
                raise MaieuticError(f"cannot write {out} ({error.strerror}); make room or check it") from None
    return rows


if __name__ == "__main__":
    try:
        app()
    except MaieuticError as error:
        typer.echo(f"error: {error}", err=True)
        raise SystemExit(error.exit_code) from None
