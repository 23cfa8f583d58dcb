"""``maieutic choose``: the options of a question in one problem, of which exactly one is true."""

from __future__ import annotations

from typing import Annotated

import typer

from maieutic.bundled import AGORA
from maieutic.cli.opening import opened
from maieutic.cli.options import (
    AbstainOption,
    AskNliOption,
    AssumeFalseOption,
    AssumeOption,
    BeliefsOption,
    BudgetOption,
    CacheOption,
    ConfidenceOption,
    DepthOption,
    DeviceOption,
    DownloadOption,
    DtypeOption,
    JsonOption,
    LmOption,
    MemoryOption,
    PriorsOption,
    PromptsOption,
    SeedOption,
    WeightsOption,
    weights_from,
)
from maieutic.config import PROBABILITIES

__all__ = ["choose"]


def choose(
    question: Annotated[str, typer.Argument(help="The question, or a text that the options go on.")],
    option: Annotated[
        list[str] | None,
        typer.Option("--option", "-o", help="An option; repeat for more.", show_default=False),
    ] = None,
    lm: LmOption = AGORA,
    nli: AskNliOption = None,
    prompts: PromptsOption = "auto",
    device: DeviceOption = "auto",
    dtype: DtypeOption = "auto",
    download: DownloadOption = False,
    cache: CacheOption = False,
    beliefs: BeliefsOption = PROBABILITIES,
    confidence: ConfidenceOption = 0.9,
    budget: BudgetOption = 80,
    depth: DepthOption = 2,
    priors: PriorsOption = True,
    seed: SeedOption = 0,
    weights: WeightsOption = None,
    assume: AssumeOption = None,
    assume_false: AssumeFalseOption = None,
    abstain_below: AbstainOption = 0.0,
    memory: MemoryOption = None,
    json: JsonOption = False,
) -> None:
    """Choose among the options of a question, and say why.

    Each option becomes a statement and grows a tree where it is unsure; all are solved as one problem, in
    which exactly one is true.

    maieutic choose "What is a spoon made of?" -o steel -o wool -o paper
    """
    from rich.console import Console

    from maieutic.cli.console import complain
    from maieutic.config import ElicitConfig
    from maieutic.files.json_text import dump_json
    from maieutic.inference import Joint
    from maieutic.inference.assumptions import assumptions_of
    from maieutic.problem.choosing import check_options
    from maieutic.render.choice import choice_data, show_choice

    asked, texts = check_options(question, option or [])
    facts = assumptions_of(assume or (), assume_false or ())
    joint = Joint(weights_from(weights), assumptions=facts, abstain_below=abstain_below)
    config = ElicitConfig(confidence=confidence, budget=budget, depth=depth, priors=priors, seed=seed)
    maieutic = opened(
        lm,
        nli,
        beliefs=beliefs,
        cache=cache,
        memory=memory,
        prompts=prompts,
        elicit=config,
        inference=joint,
        device=device,
        dtype=dtype,
        download=download,
    )
    choice = maieutic.choose(asked, texts)
    if json:
        typer.echo(dump_json(choice_data(choice)))
        for warning in choice.warnings:
            complain(f"warning: {warning}")
    else:
        show_choice(choice, Console())
