"""Runs methods of others beside maieutic and writes one page with their tables.

Launch:   python -m maieutic.benchmarks.rivals --out docs/rivals.md
          python -m maieutic.benchmarks.rivals --lm MODEL --nli VERIFIER --data CREAK --out docs/rivals.md
Data:     agora's test split with the bundled models; with --lm also statements of CREAK's train split.
Cost:     agora: minutes; a model of 0.5B and 200 statements: about an hour on one core. Interrupted runs
          continue, and replies come from the response cache.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from maieutic.benchmarks import run_app
from maieutic.benchmarks.rivals.contest import Contest
from maieutic.benchmarks.rivals.lineup import lineup
from maieutic.benchmarks.rivals.page import page
from maieutic.benchmarks.runs.config import RunConfig
from maieutic.bundled import AGORA
from maieutic.cache.store import ResponseStore
from maieutic.errors import InputError, MaieuticError

__all__ = ["Setup", "app"]

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


@dataclass(frozen=True)
class Setup:
    """What is compared.

    Attributes:
        split: of agora: dev for trying out, test for the page.
        lm: a language model for CREAK, "" for agora alone; ``nli``: its verifier; ``data``: CREAK's folder.
        limit: questions of agora; ``real_limit``: statements of CREAK; 0 for all.
        samples: of every method that samples, ≥ 1.
        runs: folder of the runs.

    Raises:
        InputError: a model without verifier or data, or a verifier or data without a model.
    """

    split: str = "test"
    lm: str = ""
    nli: str = ""
    data: str = ""
    limit: int = 200
    real_limit: int = 200
    samples: int = 5
    seed: int = 0
    runs: Path = Path("runs/rivals")

    def __post_init__(self) -> None:
        if len({bool(text) for text in (self.lm, self.nli, self.data)}) > 1:
            problem = "--lm, --nli and --data belong together; give all three, or none for agora alone"
            raise InputError(problem, subject="--lm")

    @property
    def contests(self) -> list[Contest]:
        """The contests, agora's first."""
        rivals = lineup(self.samples)
        agora = RunConfig(AGORA, split=self.split, lm=AGORA, nli=AGORA, limit=self.limit, seed=self.seed)
        found = [Contest(agora, rivals, self.runs / f"agora-{self.split}")]
        if self.lm:
            creak = RunConfig(
                "creak",
                split="train",
                data=str(Path(self.data).expanduser().absolute()),
                lm=self.lm,
                nli=self.nli,
                limit=self.real_limit,
                seed=self.seed,
            )
            found.append(Contest(creak, rivals, self.runs / f"creak-{Path(self.lm).name}"))
        return found

    @property
    def command(self) -> str:
        """The command line that makes the page; folders are named without the folders around them."""
        words = ["python", "-m", "maieutic.benchmarks.rivals", "--split", self.split]
        words += ["--limit", str(self.limit), "--samples", str(self.samples), "--seed", str(self.seed)]
        if self.lm:
            words += ["--lm", self.lm, "--nli", Path(self.nli).name, "--data", Path(self.data).name]
            words += ["--real-limit", str(self.real_limit)]
        return shlex.join([*words, "--out", "docs/rivals.md"])


@app.command()
def rivals(  # noqa: PLR0913, PLR0917 - one parameter an option
    out: Annotated[Path, typer.Option("--out", help="The page; it is written anew.")],
    split: Annotated[str, typer.Option("--split", help="Of agora: dev or test.")] = "test",
    lm: Annotated[str, typer.Option("--lm", help="A language model for CREAK; none for agora alone.")] = "",
    nli: Annotated[str, typer.Option("--nli", help="Its verifier.")] = "",
    data: Annotated[str, typer.Option("--data", help="Folder of CREAK's official files.")] = "",
    limit: Annotated[int, typer.Option("--limit", help="Questions of agora; 0 for all.", min=0)] = 200,
    real_limit: Annotated[int, typer.Option("--real-limit", help="Statements of CREAK.", min=0)] = 200,
    samples: Annotated[int, typer.Option("--samples", help="Of every method that samples.", min=1)] = 5,
    seed: Annotated[int, typer.Option("--seed", help="Of the draw and of all sampling.", min=0)] = 0,
    runs: Annotated[Path, typer.Option("--runs", help="Folder of the runs.")] = Path("runs/rivals"),
) -> None:
    """Compare maieutic with methods of others at the same questions, and write the page."""
    setup = Setup(split, lm, nli, data, limit, real_limit, samples, seed, runs)
    if not out.absolute().parent.is_dir():
        raise InputError(f"--out {out}: its folder does not exist; make it", subject="--out")
    cache = ResponseStore()
    found = []
    for contest in setup.contests:
        done = contest.runs(cache, lambda line: typer.echo(line, err=True))
        found.append((contest, contest.compared(done)))
    try:
        out.write_text(page(found, setup.command, samples), encoding="utf-8")
    except OSError as error:
        problem = f"cannot write {out} ({error.strerror}); make room or check the folder"
        raise MaieuticError(problem, subject="--out") from None
    typer.echo(f"wrote {out}", err=True)


if __name__ == "__main__":
    run_app(app)
