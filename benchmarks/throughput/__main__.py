"""Measures the engine's speed beside other implementations of the same work, in one run.

Launch:   python -m maieutic.benchmarks.throughput [--lm MODEL | --random-weights SHAPE] [--out FILE.json]
Data:     none; models are bundled, given, or built with random weights, and nothing is downloaded.
Cost:     some 15 minutes for the 135M shape on two cores; see docs/performance.md.

``pip install 'maieutic[throughput]'`` installs the packages that it compares with. A row whose package is
missing says so.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import torch
import typer

from maieutic.benchmarks import run_app
from maieutic.benchmarks.runs.provenance import git_revision, machine
from maieutic.benchmarks.throughput.answering import question_rows
from maieutic.benchmarks.throughput.clock import Clock
from maieutic.benchmarks.throughput.generating import generate_rows
from maieutic.benchmarks.throughput.models import about_model, random_lm, random_verifier, shape_names
from maieutic.benchmarks.throughput.scoring import (
    LM_EVAL,
    SENTENCE_TRANSFORMERS,
    choose_rows,
    verifier_rows,
    version_of,
)
from maieutic.benchmarks.throughput.table import TableRow, as_json, as_markdown
from maieutic.benchmarks.throughput.workbench import Subject, Workbench
from maieutic.bundled import AGORA, bundled_folder
from maieutic.checkpoints.devices import resolve_device, resolve_dtype
from maieutic.checkpoints.finding import find_folder
from maieutic.checkpoints.loading import CLASSIFIER, LANGUAGE_MODEL, Checkpoint, load_checkpoint
from maieutic.errors import InputError, MaieuticError
from maieutic.prompts import load_prompts
from maieutic.version import __version__

__all__ = ["SECTIONS", "Measurement", "app", "program"]

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


@dataclass(frozen=True)
class Measurement:
    """What is measured.

    Attributes:
        lm: "agora", a folder or a cached hub id; ``shape`` replaces it by random weights of that shape.
        nli: the verifier, likewise; ``nli_shape`` replaces it.
        prompts: as for :class:`maieutic.benchmarks.throughput.workbench.Subject`.
        sections: names of :data:`SECTIONS`.
        questions: answered together, even, since every second one gets a large tree.
        new_tokens: of each text.
        repeats: of each measurement.
        dtype: as for :func:`maieutic.checkpoints.devices.resolve_dtype`.
        out: a new file for the results as JSON, written after each section; None for none.

    Raises:
        InputError: ``questions`` is odd, a section is unknown, or ``out`` exists or has no folder.
    """

    device: torch.device
    lm: str = AGORA
    shape: str = ""
    nli: str = AGORA
    nli_shape: str = ""
    prompts: str = "auto"
    sections: Sequence[str] = tuple(SECTIONS)
    questions: int = 12
    new_tokens: int = 24
    repeats: int = 3
    dtype: str = "auto"
    out: Path | None = None

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.sections) - set(SECTIONS)):
            problem = f"{unknown[0]!r} is not a section; use some of {', '.join(SECTIONS)}, with commas"
            raise InputError(problem, subject="--only")
        if self.questions % 2:
            problem = f"--questions must be even (every second one gets a large tree), not {self.questions}"
            raise InputError(problem, subject="--questions")
        if self.out is not None and (self.out.exists() or not self.out.parent.is_dir()):
            problem = f"--out {self.out}: give a new file in a folder that exists"
            raise InputError(problem, subject="--out")

    def run(self, log: Callable[[str], None]) -> tuple[dict[str, Any], list[TableRow]]:
        """Measure; returns the facts about the measurement and the rows.

        Raises:
            ModelError: a model or a shape cannot be used.
            MaieuticError: ``out`` cannot be written.
        """
        with TemporaryDirectory() as scratch:
            subject = self._subject()
            verifier = self._verifier(subject.checkpoint, Path(scratch))
            clock = Clock(self.device, self.repeats, log)
            bench = Workbench(subject, verifier, clock, self.questions, self.new_tokens)
            facts, rows = self._facts(subject, verifier), list[TableRow]()
            for place, name in enumerate(self.sections, 1):
                log(f"{name} ({place} of {len(self.sections)})")
                rows += SECTIONS[name](bench)
                self._write(as_json(facts, rows))
        return facts, rows

    def _subject(self) -> Subject:
        dtype = resolve_dtype(self.dtype, self.device)
        if not self.shape:
            name = str(dtype).removeprefix("torch.")
            # The bundled model too as Transformers opens it, whose own ways of computing are compared.
            folder = bundled_folder("agora-lm") if self.lm == AGORA else find_folder(self.lm)
            opened = load_checkpoint(str(folder), LANGUAGE_MODEL, device=str(self.device), dtype=name)
            checkpoint = replace(opened, name=self.lm)
            return Subject(checkpoint, self.prompts, random=False)
        prompts = RANDOM_PROMPTS if self.prompts == "auto" else self.prompts
        checkpoint = random_lm(self.shape, self.device, dtype, load_prompts(prompts))
        return Subject(checkpoint, prompts, random=True)

    def _verifier(self, lm: Checkpoint, scratch: Path) -> Checkpoint:
        """On the language model's device, in its number format."""
        if self.nli_shape:
            return random_verifier(self.nli_shape, lm.device, lm.dtype, scratch)
        folder = bundled_folder("agora-nli") if self.nli == AGORA else find_folder(self.nli)
        return load_checkpoint(str(folder), CLASSIFIER, device=str(lm.device), dtype=lm.dtype_name)

    def _facts(self, subject: Subject, verifier: Checkpoint) -> dict[str, Any]:
        packages = ("torch", "transformers", LM_EVAL, SENTENCE_TRANSFORMERS)
        return {
            "versions": {"maieutic": __version__} | {name: version_of(name) or None for name in packages},
            "git": git_revision(),
            "machine": machine(str(self.device)),
            "lm": about_model(subject.checkpoint, prompts=subject.prompts.name),
            "verifier": about_model(verifier) | {"name": self.nli_shape or self.nli},
            "repeats": self.repeats,
            "questions": self.questions,
            "new_tokens": self.new_tokens,
        }

    def _write(self, text: str) -> None:
        if self.out is None:
            return
        try:
            self.out.write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            problem = f"cannot write {self.out} ({error.strerror}); make room or check the folder"
            raise MaieuticError(problem, subject="--out") from None


@app.command()
def throughput(  # noqa: PLR0913, PLR0917 - one parameter an option
    lm: Annotated[str, typer.Option("--lm", help="agora (bundled), a folder or a cached hub id.")] = AGORA,
    random_weights: Annotated[
        str,
        typer.Option(
            "--random-weights", help=f"Replaces --lm: {', '.join(shape_names('lm'))}, or a config.json."
        ),
    ] = "",
    nli: Annotated[str, typer.Option("--nli", help="Verifier: agora, a folder or a cached hub id.")] = AGORA,
    random_nli: Annotated[
        str,
        typer.Option(
            "--random-nli", help=f"Replaces --nli: {', '.join(shape_names('nli'))}, or a config.json."
        ),
    ] = "",
    prompts: Annotated[
        str, typer.Option("--prompts", help="paper, chat, agora, a TOML file, or auto.")
    ] = "auto",
    only: Annotated[
        str, typer.Option("--only", help="Sections to run, with commas; all by default.")
    ] = ",".join(SECTIONS),
    questions: Annotated[
        int, typer.Option("--questions", help="Answered together, even; 0 for 12, on CUDA 256.", min=0)
    ] = 0,
    new_tokens: Annotated[int, typer.Option("--new-tokens", help="Tokens of each text.", min=2, max=63)] = 24,
    repeats: Annotated[
        int, typer.Option("--repeats", help="Repeats of each measurement; use 3 or more.", min=1)
    ] = 3,
    device: Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:N.")] = "auto",
    dtype: Annotated[str, typer.Option("--dtype", help="auto, float32, bfloat16 or float16.")] = "auto",
    json: Annotated[bool, typer.Option("--json", help="Print JSON with all repeats.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="Also write the JSON to a new file.", show_default=False)
    ] = None,
) -> None:
    """Measure the engine's speed and cost beside other implementations of the same work."""
    target = resolve_device(device)
    wanted = {name.strip() for name in only.split(",")} - {""}
    sections = [*(name for name in SECTIONS if name in wanted), *sorted(wanted - set(SECTIONS))]
    models = {"lm": lm, "shape": random_weights, "nli": nli, "nli_shape": random_nli, "prompts": prompts}
    measurement = Measurement(
        target,
        **models,
        sections=sections,
        questions=questions or QUESTIONS[target.type],
        new_tokens=new_tokens,
        repeats=repeats,
        dtype=dtype,
        out=out,
    )
    facts, rows = measurement.run(lambda line: typer.echo(line, err=True))
    typer.echo(as_json(facts, rows) if json else as_markdown(facts, rows))


def program() -> None:
    """Run the command line; what it compares with logs errors only."""
    for package in (LM_EVAL, SENTENCE_TRANSFORMERS):
        logging.getLogger(package).setLevel(logging.ERROR)
    run_app(app)


if __name__ == "__main__":
    program()
