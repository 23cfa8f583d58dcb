"""Measures the engine's speed beside what others offer for the same work, side by side in one run.

Launch:   python -m maieutic.benchmarks.throughput [--lm MODEL | --random-weights SHAPE] [--out FILE.json]
Data:     none; models are bundled, given, or built with random weights, and nothing is downloaded.
Cost:     some 15 minutes for the 135M shape on two cores; see docs/performance.md.

The packages that it compares with are installed by ``pip install 'maieutic[throughput]'``; a row without
its package says so.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import torch
import typer

from maieutic.benchmarks import run_app
from maieutic.benchmarks.runs.provenance import git_revision, machine
from maieutic.benchmarks.throughput.answering import question_rows
from maieutic.benchmarks.throughput.choosing import choose_rows
from maieutic.benchmarks.throughput.clock import Clock
from maieutic.benchmarks.throughput.generating import generate_rows
from maieutic.benchmarks.throughput.models import about_model, random_lm, random_verifier, shape_names
from maieutic.benchmarks.throughput.packages import LM_EVAL, SENTENCE_TRANSFORMERS, version_of
from maieutic.benchmarks.throughput.subject import Subject
from maieutic.benchmarks.throughput.table import TableRow, as_json, as_markdown
from maieutic.benchmarks.throughput.verifying import verifier_rows
from maieutic.benchmarks.throughput.workbench import Workbench
from maieutic.bundled import AGORA, bundled_folder
from maieutic.checkpoints.devices import resolve_device, resolve_dtype
from maieutic.checkpoints.loading import CLASSIFIER, LANGUAGE_MODEL, Checkpoint, find_folder, load_checkpoint
from maieutic.errors import InputError, MaieuticError
from maieutic.prompts import load_prompts
from maieutic.version import __version__

__all__ = ["SECTIONS", "app", "program"]

QUESTIONS = {"cpu": 12, "cuda": 256}
RANDOM_PROMPTS = "paper"  # of random weights, which suit no set

# Questions come first, so that the memory they report is not that of the others.
SECTIONS: Mapping[str, Callable[[Workbench], list[TableRow]]] = {
    "questions": question_rows,
    "choose": choose_rows,
    "generate": generate_rows,
    "verifier": verifier_rows,
}

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


@app.command()
def throughput(  # noqa: PLR0913, PLR0917 - one parameter an option
    lm: Annotated[str, typer.Option("--lm", help="agora (bundled), a folder or a cached hub id.")] = AGORA,
    random_weights: Annotated[
        str,
        typer.Option("--random-weights", help=f"Not --lm: {', '.join(shape_names('lm'))}, or a config.json."),
    ] = "",
    nli: Annotated[str, typer.Option("--nli", help="Verifier: agora, a folder or a cached hub id.")] = AGORA,
    random_nli: Annotated[
        str,
        typer.Option("--random-nli", help=f"Not --nli: {', '.join(shape_names('nli'))}, or a config.json."),
    ] = "",
    prompts: Annotated[
        str, typer.Option("--prompts", help="paper, chat, agora, a TOML file, or auto.")
    ] = "auto",
    only: Annotated[str, typer.Option("--only", help=f"Some of {','.join(SECTIONS)}; all if left out.")] = "",
    questions: Annotated[
        int, typer.Option("--questions", help="That grow together, even; 0 is 12, on CUDA 256.", min=0)
    ] = 0,
    new_tokens: Annotated[int, typer.Option("--new-tokens", help="Of each text.", min=2, max=63)] = 24,
    repeats: Annotated[
        int, typer.Option("--repeats", help="Of each measurement; figures rest on 3 or more.", min=1)
    ] = 3,
    device: Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:N.")] = "auto",
    dtype: Annotated[str, typer.Option("--dtype", help="auto, float32, bfloat16 or float16.")] = "auto",
    json: Annotated[bool, typer.Option("--json", help="Print JSON, all repeats included.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write that JSON to a new file, too.", show_default=False)
    ] = None,
) -> None:
    """Measure the engine's speed beside what others offer for the same work."""
    target = resolve_device(device)
    count = questions or QUESTIONS[target.type]
    sections = _sections(only)
    if count % 2:
        raise InputError(f"--questions must be even (every second one gets a large tree), not {count}")
    if out is not None and (out.exists() or not out.parent.is_dir()):
        raise InputError(f"--out {out}: give a new file in a folder that exists")
    with TemporaryDirectory() as scratch:
        subject = _subject(lm, random_weights, prompts, target, resolve_dtype(dtype, target))
        checkpoint = subject.checkpoint
        verifier = _verifier(nli, random_nli, checkpoint, Path(scratch))
        bench = Workbench(subject, verifier, Clock(target, repeats, _tell), count, new_tokens)
        packages = ("torch", "transformers", LM_EVAL, SENTENCE_TRANSFORMERS)
        about = {
            "versions": {"maieutic": __version__} | {name: version_of(name) or None for name in packages},
            "git": git_revision(),
            "machine": machine(str(target)),
            "lm": about_model(checkpoint, prompts=subject.prompts.name),
            "verifier": about_model(verifier) | {"name": random_nli or nli},
            "repeats": repeats,
            "questions": count,
            "new_tokens": new_tokens,
        }
        rows = _measured(bench, sections, about, out)
    typer.echo(as_json(about, rows) if json else as_markdown(about, rows))


def _sections(only: str) -> list[str]:
    """The names in a comma-separated list, in the order in which they are run; all for ""."""
    wanted = {name.strip() for name in only.split(",")} - {""} or set(SECTIONS)
    if unknown := sorted(wanted - set(SECTIONS)):
        raise InputError(f"{unknown[0]!r} is no section; use some of {', '.join(SECTIONS)}, with commas")
    return [name for name in SECTIONS if name in wanted]


def _subject(lm: str, shape: str, prompts: str, device: torch.device, dtype: torch.dtype) -> Subject:
    if not shape:
        checkpoint = load_checkpoint(lm, LANGUAGE_MODEL, device=str(device), dtype=_name(dtype))
        return Subject(checkpoint, prompts, random=False)
    chosen = RANDOM_PROMPTS if prompts == "auto" else prompts
    return Subject(random_lm(shape, device, dtype, load_prompts(chosen)), chosen, random=True)


def _verifier(nli: str, shape: str, lm: Checkpoint, scratch: Path) -> Checkpoint:
    """On the language model's device, in its number format."""
    if shape:
        return random_verifier(shape, lm.device, lm.dtype, scratch)
    folder = bundled_folder("agora-nli") if nli == AGORA else find_folder(nli)
    return load_checkpoint(str(folder), CLASSIFIER, device=str(lm.device), dtype=lm.dtype_name)


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _measured(
    bench: Workbench, sections: list[str], about: Mapping[str, Any], out: Path | None
) -> list[TableRow]:
    """The rows of the sections; ``out`` is written after each."""
    rows: list[TableRow] = []
    for place, name in enumerate(sections, 1):
        _tell(f"{name} ({place} of {len(sections)})")
        rows += SECTIONS[name](bench)
        if out is not None:
            try:
                out.write_text(as_json(about, rows) + "\n", encoding="utf-8")
            except OSError as error:
                raise MaieuticError(f"cannot write {out} ({error.strerror}); make room or check it") from None
    return rows


def _tell(line: str) -> None:
    typer.echo(line, err=True)


def program() -> None:
    """Run the command line; what it compares with logs errors only."""
    for package in (LM_EVAL, SENTENCE_TRANSFORMERS):
        logging.getLogger(package).setLevel(logging.ERROR)
    run_app(app)


if __name__ == "__main__":
    program()
