"""Measures how many questions must grow together to fill one server or several.

Launch:   python -m maieutic.benchmarks.scaling.servers --lm http://a/v1,http://b/v1#m --nli agora --data FILE
Data:     a file with a statement a line.
Cost:     every question is asked once for each size of batch.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from maieutic.benchmarks import run_app
from maieutic.bundled import AGORA
from maieutic.config import ElicitConfig
from maieutic.pipeline import Maieutic

__all__ = ["app"]

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


@app.command()
def servers(
    lm: Annotated[str, typer.Option("--lm", help="Model on one server or several.")],
    data: Annotated[Path, typer.Option("--data", help="Statements, one a line.")],
    nli: Annotated[str, typer.Option("--nli", help="Verifier.")] = AGORA,
    prompts: Annotated[str, typer.Option("--prompts", help="As for maieutic ask.")] = "auto",
    batches: Annotated[
        str, typer.Option(help="Questions that grow together, with commas.")
    ] = "1,2,4,8,16,32",
) -> None:
    """Print questions a minute for each number of questions that grow together."""
    questions = [line.strip() for line in data.read_text(encoding="utf-8").splitlines() if line.strip()]
    maieutic = Maieutic.load(lm, nli, prompts=prompts, elicit=ElicitConfig(priors=False))
    typer.echo("| grow together | questions a minute | calls a second |\n| ---: | ---: | ---: |")
    list(maieutic.ask_many(questions[:2]))  # examples are read, connections tried
    for batch in map(int, batches.split(",")):
        start = time.perf_counter()
        answers = list(maieutic.ask_many(questions, batch))
        seconds = time.perf_counter() - start
        calls = sum(answer.usage.calls for answer in answers)
        typer.echo(f"| {batch} | {60 * len(answers) / seconds:.1f} | {calls / seconds:.1f} |")


if __name__ == "__main__":
    run_app(app)
