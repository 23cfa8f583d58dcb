"""What a model believes of any statement, whatever it says: its priors, estimated without labels.

A small model finds true almost anything (or almost nothing), more or less so for each kind of prompt. Its
mean log-odds over statements that nobody can judge, since they are about things that do not exist, are that
constant; subtracted, they leave what it believes of the statement itself. Texts without any content, such as
"N/A" (Zhao et al. 2021), were tried too: models judge those otherwise than sentences.

References: Z. Zhao et al. "Calibrate Before Use", ICML 2021. H. Zhou et al. "Batch Calibration", ICLR 2024.
"""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files

from maieutic.config import ElicitConfig
from maieutic.elicit.rewriting import Rewriter
from maieutic.elicit.state import Draft, Growing
from maieutic.elicit.steps import Steps
from maieutic.lm.base import LanguageModel
from maieutic.priors import Priors
from maieutic.progress import Progress
from maieutic.prompts import PromptSet
from maieutic.tree import ROOT

__all__ = ["estimate_priors", "probes"]

LARGEST = 5.0  # nats; a single judgement counts for no more


def probes() -> list[tuple[str, str]]:
    """Statements about things that do not exist, each with its negation."""
    lines = files("maieutic.elicit").joinpath("probes.tsv").read_text(encoding="utf-8").splitlines()
    return [(statement, negation) for statement, negation in (line.split("\t") for line in lines)]


def estimate_priors(
    lm: LanguageModel, prompts: PromptSet, config: ElicitConfig, progress: Progress | None = None
) -> Priors:
    """Read the model's belief in every probe and in its negation, and its verdict after a chain of thought.

    Args:
        config: how beliefs are read, and whether there are chains of thought.

    Raises:
        ContextLengthError: a prompt does not fit the model's window.
    """
    config = replace(config, read_beliefs=True)
    steps = Steps(lm, prompts, config, Rewriter(lm, prompts, config), progress)
    trees = [Growing(statement, statement, negation) for statement, negation in probes()]
    with steps.step("prior", 0, trees):
        steps.believe([Draft(tree, ROOT, None, tree.statement, tree.negation) for tree in trees])
        roots = [tree.nodes[0] for tree in trees]
        judged = any(root.p_true is not None for root in roots)  # else no chain would say anything either
        if judged and config.chain and config.depth > 0:
            steps.think(trees)
    return Priors.of(
        (root.p_true for root in roots),
        (root.p_true_negation for root in roots),
        (tree.chain.p_true for tree in trees if tree.chain is not None),
        limit=LARGEST,
    )
