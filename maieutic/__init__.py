"""maieutic: a reasoning layer over any language model.

Given a statement, the model argues both sides, recursively; an NLI verifier relates what it said; a
weighted MaxSAT solver picks the truth values that fit together best (Jung et al., EMNLP 2022).

>>> import maieutic
>>> sorted(maieutic.__all__)[:3]
['Answer', 'Argue', 'AtMostOne']

The names load on first use: ``import maieutic`` imports neither torch nor transformers.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from maieutic.version import __version__

if TYPE_CHECKING:
    from maieutic.answer import Answer as Answer
    from maieutic.config import ElicitConfig as ElicitConfig
    from maieutic.errors import MaieuticError as MaieuticError
    from maieutic.inference import Argue as Argue
    from maieutic.inference import Joint as Joint
    from maieutic.inference import Vote as Vote
    from maieutic.inference.assumptions import assumptions_of as assumptions_of
    from maieutic.inference.weights import JointWeights as JointWeights
    from maieutic.inference.weights import read_weights as read_weights
    from maieutic.lm import load_lm as load_lm
    from maieutic.lm.beliefs import SampledBeliefs as SampledBeliefs
    from maieutic.lm.beliefs import StatedBeliefs as StatedBeliefs
    from maieutic.memory.base import Memory as Memory
    from maieutic.nli import load_verifier as load_verifier
    from maieutic.pipeline import Maieutic as Maieutic
    from maieutic.pipeline import Unanswered as Unanswered
    from maieutic.problem.base import AtMostOne as AtMostOne
    from maieutic.problem.base import Claim as Claim
    from maieutic.problem.base import Equivalent as Equivalent
    from maieutic.problem.base import ExactlyOne as ExactlyOne
    from maieutic.problem.base import Fact as Fact
    from maieutic.problem.base import Implies as Implies
    from maieutic.problem.base import Problem as Problem
    from maieutic.problem.settled import verify as verify
    from maieutic.progress import Step as Step
    from maieutic.prompts import load_prompts as load_prompts
    from maieutic.render.dataframe import to_dataframe as to_dataframe
    from maieutic.tree import Proposition as Proposition
    from maieutic.tree import Tree as Tree

_HOMES = {
    "Answer": "maieutic.answer",
    "Argue": "maieutic.inference",
    "AtMostOne": "maieutic.problem.base",
    "Claim": "maieutic.problem.base",
    "ElicitConfig": "maieutic.config",
    "Equivalent": "maieutic.problem.base",
    "ExactlyOne": "maieutic.problem.base",
    "Fact": "maieutic.problem.base",
    "Implies": "maieutic.problem.base",
    "Joint": "maieutic.inference",
    "JointWeights": "maieutic.inference.weights",
    "Maieutic": "maieutic.pipeline",
    "Memory": "maieutic.memory.base",
    "MaieuticError": "maieutic.errors",
    "Problem": "maieutic.problem.base",
    "Proposition": "maieutic.tree",
    "SampledBeliefs": "maieutic.lm.beliefs",
    "StatedBeliefs": "maieutic.lm.beliefs",
    "Step": "maieutic.progress",
    "Tree": "maieutic.tree",
    "Unanswered": "maieutic.pipeline",
    "Vote": "maieutic.inference",
    "assumptions_of": "maieutic.inference.assumptions",
    "load_lm": "maieutic.lm",
    "load_prompts": "maieutic.prompts",
    "load_verifier": "maieutic.nli",
    "read_weights": "maieutic.inference.weights",
    "to_dataframe": "maieutic.render.dataframe",
    "verify": "maieutic.problem.settled",
}

__all__ = [
    "Answer",
    "Argue",
    "AtMostOne",
    "Claim",
    "ElicitConfig",
    "Equivalent",
    "ExactlyOne",
    "Fact",
    "Implies",
    "Joint",
    "JointWeights",
    "Maieutic",
    "MaieuticError",
    "Memory",
    "Problem",
    "Proposition",
    "SampledBeliefs",
    "StatedBeliefs",
    "Step",
    "Tree",
    "Unanswered",
    "Vote",
    "__version__",
    "assumptions_of",
    "load_lm",
    "load_prompts",
    "load_verifier",
    "read_weights",
    "to_dataframe",
    "verify",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'maieutic' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
