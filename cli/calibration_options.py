"""The options of ``calibrate`` alone, in the panels of their help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maieutic.cli.bench.options import DATA
from maieutic.cli.completion import DATASETS, one_of
from maieutic.cli.options import OUTPUT

__all__ = [
    "AblateOption",
    "EvenIfWorseOption",
    "FoldsOption",
    "L2Option",
    "LabelFreeOption",
    "LearnedWeightsOption",
    "LearningSplitOption",
    "OffOption",
    "OnOption",
    "PriorsOption",
    "RunsOption",
    "SeedsOption",
    "TreesArgument",
]

LEARNING = "Learning"

TreesArgument = Annotated[
    list[Path] | None,
    typer.Argument(
        help="Files of trees with gold answers (.jsonl or .jsonl.gz), or folders of maieutic runs.",
        show_default=False,
    ),
]

OnOption = Annotated[
    str | None,
    typer.Option(
        "--on",
        autocompletion=one_of(DATASETS),
        metavar="DATASET",
        help="Grow trees for this data set with --lm, and learn from them too: agora, csqa2, creak, "
        "com2sense, strategyqa or file.",
        rich_help_panel=DATA,
        show_default=False,
    ),
]
LearningSplitOption = Annotated[
    str | None,
    typer.Option(
        "--split",
        help="Split of the data set; see maieutic bench datasets.",
        rich_help_panel=DATA,
        show_default="train, where there is one",
    ),
]
RunsOption = Annotated[
    Path | None,
    typer.Option(
        "--runs",
        metavar="FOLDER",
        help="Folder of the run that grows the trees; an interrupted run continues.",
        rich_help_panel=DATA,
        show_default="named after model and data set",
    ),
]

LearnedWeightsOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        help="Weights file to write, for the option --weights.",
        rich_help_panel=OUTPUT,
        show_default=False,
    ),
]
EvenIfWorseOption = Annotated[
    bool,
    typer.Option(
        "--even-if-worse",
        help="Write the weights even if they are no better out of fold than those that learning starts from.",
        rich_help_panel=OUTPUT,
    ),
]

FoldsOption = Annotated[
    int,
    typer.Option("--folds", help="Folds of the cross-validation.", min=2, rich_help_panel=LEARNING),
]
SeedsOption = Annotated[
    int,
    typer.Option("--seeds", help="Number of random divisions into folds.", min=1, rich_help_panel=LEARNING),
]
AblateOption = Annotated[
    bool,
    typer.Option(
        "--ablate", help="Also evaluate without each weight, one at a time.", rich_help_panel=LEARNING
    ),
]
L2Option = Annotated[
    float,
    typer.Option("--l2", help="L2 penalty, nats for a weight of 1.", min=0, rich_help_panel=LEARNING),
]
OffOption = Annotated[
    list[str] | None,
    typer.Option(
        "--off",
        help="A weight to fix at 0; repeat for more.",
        rich_help_panel=LEARNING,
        show_default=False,
    ),
]
PriorsOption = Annotated[
    bool,
    typer.Option(
        "--priors/--no-priors",
        help="Subtract what the model finds true of any statement, estimated without gold answers.",
        rich_help_panel=LEARNING,
    ),
]
LabelFreeOption = Annotated[
    bool,
    typer.Option(
        "--label-free",
        help="Only estimate the priors; the weights stay, and gold answers are not needed, nor is --nli "
        "with trees.",
        rich_help_panel=LEARNING,
    ),
]
