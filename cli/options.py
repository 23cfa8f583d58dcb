"""The options of ``ask``, and those that several commands share, in the panels of their help."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maieutic.bundled import AGORA
from maieutic.cli.completion import (
    DTYPES,
    GROWTHS,
    INFERENCES,
    PROMPTS,
    lm_names,
    nli_names,
    one_of,
)

if TYPE_CHECKING:
    from maieutic.inference.weights import JointWeights

__all__ = [
    "OUTPUT",
    "REASONING",
    "AbstainOption",
    "AskNliOption",
    "AssumeFalseOption",
    "AssumeOption",
    "BeliefOption",
    "BeliefsOption",
    "BudgetOption",
    "CacheOption",
    "ConfidenceOption",
    "DepthOption",
    "DeviceOption",
    "DownloadOption",
    "DtypeOption",
    "ExplainOption",
    "FlipOption",
    "GrowthOption",
    "InferenceOption",
    "JsonOption",
    "LmOption",
    "MemoryOption",
    "MergeOption",
    "PriorsOption",
    "PromptsOption",
    "PruneOption",
    "PrunedOption",
    "SeedOption",
    "VerboseOption",
    "WeightsOption",
    "given",
    "weights_from",
]

MODELS, REASONING, OUTPUT = "Models", "Reasoning", "Output"

LmOption = Annotated[
    str,
    typer.Option(
        "--lm",
        autocompletion=lm_names,
        help="Language model: agora (bundled), a folder, a hub id, a GGUF file, or a server's model as "
        "http://host:port/v1#model; several servers of one model with commas.",
        rich_help_panel=MODELS,
    ),
]
AskNliOption = Annotated[
    str | None,
    typer.Option(
        "--nli",
        autocompletion=nli_names,
        help="Verifier: agora, the folder or hub id of an NLI model, or lm for the language model itself. "
        "Required with any --lm but agora.",
        rich_help_panel=MODELS,
        show_default=AGORA,
    ),
]
PromptsOption = Annotated[
    str,
    typer.Option(
        "--prompts",
        autocompletion=one_of(PROMPTS),
        help="Prompt set: paper, chat, a TOML file, or auto for the one that suits the model.",
        rich_help_panel=MODELS,
    ),
]
DeviceOption = Annotated[
    str, typer.Option("--device", help="auto, cpu, cuda or cuda:N.", rich_help_panel=MODELS)
]
DtypeOption = Annotated[
    str,
    typer.Option(
        "--dtype",
        autocompletion=one_of(DTYPES),
        help="auto (float32; 16 bits on CUDA), float32, bfloat16 or float16.",
        rich_help_panel=MODELS,
    ),
]
DownloadOption = Annotated[
    bool,
    typer.Option("--download", help="Download models that are not in the hub cache.", rich_help_panel=MODELS),
]
CacheOption = Annotated[
    bool,
    typer.Option(
        "--cache/--no-cache",
        help="Keep the models' replies on disk and reuse them.",
        rich_help_panel=MODELS,
    ),
]

MemoryOption = Annotated[
    Path | None,
    typer.Option(
        "--memory",
        metavar="FILE",
        help="Answer in a memory: agree with what it holds, and enter the answer (maieutic memory).",
        rich_help_panel=REASONING,
        show_default=False,
    ),
]

InferenceOption = Annotated[
    str,
    typer.Option(
        "--inference",
        autocompletion=one_of(INFERENCES),
        help="joint, vote or argue.",
        rich_help_panel=REASONING,
    ),
]
DepthOption = Annotated[
    int,
    typer.Option(
        "--depth",
        help="Depth of the tree of explanations; 0 asks the model directly.",
        min=0,
        rich_help_panel=REASONING,
    ),
]
BeliefOption = Annotated[
    str,
    typer.Option(
        "--belief",
        help="How beliefs are read: explained (after an explanation, as in the paper) or direct.",
        rich_help_panel=REASONING,
    ),
]
BeliefsOption = Annotated[
    str,
    typer.Option(
        "--beliefs",
        help="Where beliefs come from: probabilities (of tokens), or for servers without these sampled:K "
        "(estimated from K short replies) or stated (by the model, in percent).",
        rich_help_panel=MODELS,
    ),
]
GrowthOption = Annotated[
    str,
    typer.Option(
        "--growth",
        autocompletion=one_of(GROWTHS),
        help="anytime (reasons only where the answer is unsure, one step at a time) or reference (the "
        "paper's breadth-first trees).",
        rich_help_panel=REASONING,
    ),
]
ConfidenceOption = Annotated[
    float,
    typer.Option(
        "--confidence",
        help="Anytime growth stops where the answer is this probable.",
        min=0.0,
        max=1.0,
        rich_help_panel=REASONING,
    ),
]
BudgetOption = Annotated[
    int,
    typer.Option(
        "--budget",
        help="Most tokens that anytime growth may generate for a question.",
        min=0,
        rich_help_panel=REASONING,
    ),
]
ExplainOption = Annotated[
    bool | None,
    typer.Option(
        "--explain/--no-explain",
        help="Explain both sides even where the answer is sure, beyond the budget if need be.",
        rich_help_panel=REASONING,
        show_default="for one statement at a terminal",
    ),
]
PruneOption = Annotated[
    bool,
    typer.Option(
        "--prune",
        help="Keep only explanations on paths to integral ones, as in the paper.",
        rich_help_panel=REASONING,
    ),
]
PriorsOption = Annotated[
    bool,
    typer.Option(
        "--priors/--no-priors",
        help="Subtract what the model believes of any statement, estimated once when a model is opened.",
        rich_help_panel=REASONING,
    ),
]
SeedOption = Annotated[
    int, typer.Option("--seed", help="Seed of all sampling.", min=0, rich_help_panel=REASONING)
]
WeightsOption = Annotated[
    Path | None,
    typer.Option(
        "--weights",
        help="Joint: weights file, from maieutic calibrate.",
        rich_help_panel=REASONING,
        show_default=False,
    ),
]
MergeOption = Annotated[
    bool,
    typer.Option(
        "--merge",
        help="Joint: merge explanations that entail each other both ways.",
        rich_help_panel=REASONING,
    ),
]
PrunedOption = Annotated[
    float,
    typer.Option(
        "--pruned",
        help="Joint: share of their weight that pruned propositions keep.",
        min=0,
        max=1,
        rich_help_panel=REASONING,
    ),
]
AssumeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--assume",
        help="Joint: a statement to take for true; repeat for more.",
        rich_help_panel=REASONING,
        show_default=False,
    ),
]
AssumeFalseOption = Annotated[
    list[str] | None,
    typer.Option(
        "--assume-false",
        help="Joint: a statement to take for false; repeat for more.",
        rich_help_panel=REASONING,
        show_default=False,
    ),
]
AbstainOption = Annotated[
    float,
    typer.Option(
        "--abstain-below",
        help="Joint: answers less probable than this are unsure.",
        min=0,
        max=1,
        rich_help_panel=REASONING,
    ),
]
FlipOption = Annotated[
    bool,
    typer.Option(
        "--flip",
        help="Joint: also show the lightest evidence without which the answer flips.",
        rich_help_panel=REASONING,
    ),
]

VerboseOption = Annotated[
    bool,
    typer.Option(
        "--verbose",
        "-v",
        help="After the reasons also show the tree, every belief, constraint and cost.",
        rich_help_panel=OUTPUT,
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print JSON, one object a line.", rich_help_panel=OUTPUT)
]


def given(**settings: object) -> dict[str, object]:
    """The settings that the user gave: those at None, False, 0 or () are left out."""
    return {name: value for name, value in settings.items() if value}


def weights_from(path: Path | None) -> JointWeights | None:
    """The weights of a file; None without one.

    Raises:
        FileFormatError: the file is not a weights file.
    """
    from maieutic.inference.weights import read_weights

    return None if path is None else read_weights(path)
