"""Which methods are compared, by whom they are, and how each judges a statement here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Rival", "lineup"]

MAIEUTIC = "maieutic"


@dataclass(frozen=True)
class Rival:
    """One row of the table.

    Attributes:
        label: in the table; unique.
        method: its name in ``maieutic bench run --method``; ``settings``: as for ``--set``.
        source: of the rule.
        adapted: how the rule judges a statement here, in a sentence or two.
        folder: name of its run's folder.
    """

    label: str
    method: str
    source: str
    adapted: str
    folder: str
    settings: Mapping[str, Any] = field(default_factory=dict)


def lineup(samples: int) -> tuple[Rival, ...]:
    """The methods, the simplest first; maieutic is the last.

    Args:
        samples: of every method that samples, so that all of them see the same replies; ≥ 1.
    """
    drawn = {"samples": samples}
    return (
        Rival("direct", "direct", "–", "P(true) read after the question.", "direct"),
        Rival(
            "chain of thought",
            "chain-of-thought",
            "Wei et al. 2022",
            "A greedy chain of thought, then P(true).",
            "chain-of-thought",
        ),
        Rival(
            "self-consistency",
            "self-consistency",
            "Wang et al. 2023",
            "The majority of sampled chains; P(true) is their share.",
            "self-consistency",
            drawn,
        ),
        Rival(
            "P(True)",
            "p-true",
            "Kadavath et al. 2022",
            "The greedy chain's answer; after it and the sampled chains the model says whether that answer "
            "is true. The bundled models know no such question: they give their verdict on the statement "
            "after all the thoughts, which they were not trained for either, so that it means little there.",
            "p-true",
            drawn,
        ),
        Rival(
            "semantic entropy",
            "semantic-entropy",
            "Kuhn et al. 2023; Farquhar et al. 2024",
            "The greedy chain's answer; its confidence falls with the entropy of the sampled chains' "
            "meanings. Two mean the same if their verdicts agree and their reasons entail each other.",
            "semantic-entropy",
            drawn,
        ),
        Rival(
            "SelfCheckGPT-NLI",
            "self-check",
            "Manakul et al. 2023",
            "The statement stands for a sentence of the model's response; 1 − P(true) is the mean "
            "probability that a sampled reason contradicts it.",
            "self-check",
            drawn,
        ),
        Rival(
            "ArgLLM",
            MAIEUTIC,
            "Freedman et al. 2024",
            "One argument for and one against (depth 1), DF-QuAD over the model's beliefs "
            "(`inference=argue`).",
            "argllm",
            {"inference": "argue", "depth": 1, "widths": "1"},
        ),
        Rival(
            "ConCoRD",
            "concord",
            "Mitchell et al. 2022",
            "The direct answers to 32 questions at a time and the verifier's relations between them, by "
            "MaxSAT.",
            "concord",
        ),
        Rival(
            MAIEUTIC,
            MAIEUTIC,
            "Jung et al. 2022, and this project",
            "Trees of explanations where the direct answer is unsure; joint inference.",
            MAIEUTIC,
        ),
    )
