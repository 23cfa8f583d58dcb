"""``maieutic mcp``: a server for assistants that speak the Model Context Protocol."""

from __future__ import annotations

from typing import Annotated

import typer

from maieutic.bundled import AGORA
from maieutic.cli.options import (
    REASONING,
    AskNliOption,
    BeliefsOption,
    BudgetOption,
    CacheOption,
    ConfidenceOption,
    DeviceOption,
    DownloadOption,
    DtypeOption,
    LmOption,
    PromptsOption,
    SeedOption,
    WeightsOption,
    weights_from,
)
from maieutic.config import PROBABILITIES

__all__ = ["mcp"]

ExplainOption = Annotated[
    bool,
    typer.Option(
        "--explain/--no-explain",
        help="Explain both sides even where the answer is sure, so that what_if has something to suppose.",
        rich_help_panel=REASONING,
    ),
]


def mcp(
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
    explain: ExplainOption = True,
    seed: SeedOption = 0,
    weights: WeightsOption = None,
) -> None:
    """Serve assistants over the Model Context Protocol, on standard input and output.

    The tools are ask, what_if, choose and check. Needs the extra mcp.
    """
    from maieutic.cli.opening import opened
    from maieutic.config import ElicitConfig
    from maieutic.hosts.mcp import server
    from maieutic.inference import Joint

    config = ElicitConfig(confidence=confidence, budget=budget, explain=explain, seed=seed)
    maieutic = opened(
        lm,
        nli,
        beliefs=beliefs,
        cache=cache,
        notice=False,
        prompts=prompts,
        elicit=config,
        inference=Joint(weights=weights_from(weights)),
        device=device,
        dtype=dtype,
        download=download,
    )
    server(maieutic).run()
