"""The options of ``bench``, in the panels of their help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maieutic.bundled import AGORA
from maieutic.cli.completion import DATASETS, METHODS, lm_names, nli_names, one_of
from maieutic.cli.options import MODELS, OUTPUT, REASONING

__all__ = [
    "BaselineOption",
    "BatchOption",
    "BenchLmOption",
    "BenchNliOption",
    "BootstrapSeedOption",
    "ConfigOption",
    "DataOption",
    "DatasetArgument",
    "DryRunOption",
    "GpusOption",
    "KeepGoingOption",
    "LimitOption",
    "MethodOption",
    "RayOption",
    "RunFolderOption",
    "RunSeedOption",
    "RunsArgument",
    "SetOption",
    "SplitOption",
    "TreesOption",
    "WorkerLimitOption",
    "WorkersOption",
    "absolute",
    "typed",
]

DATA, RAY = "Data", "Several machines"

RunsArgument = Annotated[
    list[Path], typer.Argument(help="Folders of runs of one data set.", metavar="RUN...", show_default=False)
]
BaselineOption = Annotated[
    str | None,
    typer.Option(
        "--baseline",
        help="Test the other runs only against this one, given by name or folder.",
        show_default="every pair is tested",
    ),
]
BootstrapSeedOption = Annotated[
    int, typer.Option("--seed", help="Seed of the bootstrap, for data with twins.", min=0)
]

DatasetArgument = Annotated[
    str,
    typer.Argument(
        help="agora, csqa2, creak, com2sense, strategyqa, trees or file.",
        autocompletion=one_of(DATASETS),
        show_default=False,
    ),
]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        help="Folder of the official files, or a file.",
        rich_help_panel=DATA,
        show_default=False,
    ),
]
TreesOption = Annotated[
    Path | None,
    typer.Option(
        "--trees",
        help="File of trees grown elsewhere for the data set; used instead of --lm.",
        rich_help_panel=DATA,
        show_default=False,
    ),
]
SplitOption = Annotated[
    str | None,
    typer.Option(
        "--split",
        help="Split of the data set; see maieutic bench datasets.",
        rich_help_panel=DATA,
        show_default=False,
    ),
]
LimitOption = Annotated[
    int,
    typer.Option(
        "--limit", help="Number of questions to draw with --seed; 0 for all.", min=0, rich_help_panel=DATA
    ),
]
BatchOption = Annotated[
    int,
    typer.Option(
        "--batch",
        help="Questions answered together; more of them keep a GPU busy.",
        min=1,
        rich_help_panel=DATA,
    ),
]
KeepGoingOption = Annotated[
    bool,
    typer.Option(
        "--keep-going",
        help="With trees: report invalid lines and skip them.",
        rich_help_panel=DATA,
    ),
]

BenchLmOption = Annotated[
    str,
    typer.Option(
        "--lm", autocompletion=lm_names, help="Language model, as for maieutic ask.", rich_help_panel=MODELS
    ),
]
BenchNliOption = Annotated[
    str | None,
    typer.Option(
        "--nli",
        autocompletion=nli_names,
        help="Verifier: agora, the folder or hub id of an NLI model, or lm for the language model itself. "
        "Required with trees and with any --lm but agora.",
        rich_help_panel=MODELS,
        show_default=AGORA,
    ),
]

MethodOption = Annotated[
    str,
    typer.Option(
        "--method",
        autocompletion=one_of(METHODS),
        help="direct, chain-of-thought, self-consistency, generated-knowledge, p-true, semantic-entropy, "
        "self-check, concord or maieutic.",
        rich_help_panel=REASONING,
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="A setting of the method; repeat for more.",
        rich_help_panel=REASONING,
        show_default=False,
    ),
]
RunSeedOption = Annotated[
    int,
    typer.Option(
        "--seed",
        help="Seed of the draw of questions and of all sampling.",
        min=0,
        rich_help_panel=REASONING,
    ),
]

RayOption = Annotated[
    str | None,
    typer.Option(
        "--ray",
        metavar="local | auto | ray://HOST:PORT",
        help="Judge with workers of Ray: on this machine, on its cluster, or on one elsewhere. "
        "Without the response cache.",
        rich_help_panel=RAY,
        show_default=False,
    ),
]
WorkersOption = Annotated[
    int, typer.Option("--workers", help="Workers, each with its own models.", min=1, rich_help_panel=RAY)
]
GpusOption = Annotated[
    float,
    typer.Option(
        "--gpus-per-worker", help="GPUs of each worker; may be a fraction.", min=0.0, rich_help_panel=RAY
    ),
]
WorkerLimitOption = Annotated[
    float,
    typer.Option(
        "--worker-limit",
        metavar="SECONDS",
        help="A worker that takes longer for a batch of questions is ended, and its batch tried again.",
        rich_help_panel=RAY,
    ),
]

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="run.toml of an earlier run, to repeat it.", show_default=False),
]
RunFolderOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        help="Folder of the run; an interrupted run continues.",
        rich_help_panel=OUTPUT,
        show_default=False,
    ),
]
DryRunOption = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Ask 8 questions, write nothing, and estimate the cost of the run.",
        rich_help_panel=OUTPUT,
    ),
]


def absolute(path: Path | None) -> str:
    """The absolute path as text, so that a run can be repeated from any folder; "" for None."""
    return "" if path is None else str(path.expanduser().absolute())


def typed(context: typer.Context) -> list[str]:
    """The parameters that stand on the command line, as options without their dashes."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return [
        name.replace("_", "-")
        for name, source in sources.items()
        if source is not None and source.name == "COMMANDLINE"
    ]
