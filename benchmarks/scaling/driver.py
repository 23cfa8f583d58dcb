"""Measures the driver of a run on Ray: questions a second and memory, with workers that answer at once.

Launch:   python -m maieutic.benchmarks.scaling.driver [--questions 100000] [--workers 1]
Data:     none.
Cost:     a minute or two on two cores.
"""

from __future__ import annotations

import json
import resource
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from maieutic.benchmarks import run_app
from maieutic.benchmarks.methods import build_method
from maieutic.benchmarks.runs.benchmark import Benchmark
from maieutic.benchmarks.runs.config import RunConfig
from maieutic.benchmarks.runs.folder import RunFolder
from maieutic.benchmarks.runs.ray_run import BenchJob, BenchJudge, run_on
from maieutic.benchmarks.scaling.passing import passed
from maieutic.cluster.jobs import Result, Row
from maieutic.cluster.session import LOCAL, Cluster, connected
from maieutic.lm.base import Prompt
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.models import LoadedModels
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.prompts import load_prompts

__all__ = ["ScriptedJob", "app"]

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


LOOKS = 10  # at the memory


@dataclass(frozen=True)
class ScriptedJob:
    """The method of a run with a scripted model, which finds everything true."""

    config: RunConfig

    def open(self) -> BenchJudge:
        """The scripted models."""
        lm = ScriptedLanguageModel(lambda *_: "", _chance)
        models = LoadedModels(lm, ScriptedVerifier(lambda *_: "neutral"), load_prompts("agora"))
        method = build_method(self.config.method, self.config.settings, self.config.seed)
        return BenchJudge(method, models, self.config.beliefs, "{}")

    def failed(self, row: Row, problem: str) -> Result:
        """An unscored record."""
        return BenchJob(self.config, "").failed(row, problem)


def _chance(_: Prompt, option: str) -> float:
    return 0.6 if "true" in option else 0.3


def _benchmark(folder: Path, questions: int) -> Benchmark:
    data = folder / "questions.jsonl"
    with data.open("w", encoding="utf-8") as file:
        for number in range(questions):
            file.write(json.dumps({"statement": f"Stone {number} is heavy.", "answer": True}) + "\n")
    config = RunConfig("file", "direct", data=str(data))
    return Benchmark.load(config.complete())


def _resident_mib() -> float:
    """Memory of this process, as Linux counts it."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


@app.command()
def driver(
    questions: Annotated[int, typer.Option(help="Questions of the run.", min=1)] = 100_000,
    workers: Annotated[int, typer.Option(help="Workers on this machine.", min=1)] = 1,
) -> None:
    """Print questions a second through the driver, and its memory while they pass."""
    cluster = Cluster(LOCAL, workers)
    with tempfile.TemporaryDirectory() as scratch, connected(cluster):
        benchmark = _benchmark(Path(scratch), questions)
        run = Path(scratch) / "run"
        sizes: list[float] = []

        def look(done: int) -> None:
            if done * LOOKS >= questions * (1 + len(sizes)):
                sizes.append(_resident_mib())

        with RunFolder(run, benchmark.config) as folder:
            batches = run_on(benchmark, folder, cluster, job=ScriptedJob(benchmark.config))
            watched = passed(batches, 1, look)
    rate = f"{watched.per_second:,.0f} a second after the first batch"
    typer.echo(f"{watched.questions:,} questions, {rate}, {workers} workers")
    typer.echo(f"driver's memory at each tenth of the run, MiB: {', '.join(f'{size:.0f}' for size in sizes)}")


if __name__ == "__main__":
    run_app(app)
