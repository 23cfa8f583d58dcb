"""Belief graph → weighted MaxSAT → a truth value for every proposition, the answer, its margin.

Two inferences (paper, section 3.3; the project's ARCHITECTURE.md tells where they differ):

``joint`` (default, :mod:`maieutic.inference.joint`): Q is a variable like the others, tied to them by the
verifier in both directions and by the tree itself; the answer is Q's label. Weights are in nats.

``vote`` (:mod:`maieutic.inference.vote`): the reference implementation's. MaxSAT labels the explanations;
those labelled true then vote on Q.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Literal

from maieutic.config import JointConfig
from maieutic.errors import InputError
from maieutic.inference.assumptions import Assumption
from maieutic.inference.constraints import Constraint, Verdict, clause_of
from maieutic.inference.joint import joint
from maieutic.inference.vote import vote
from maieutic.relate import forms_of
from maieutic.solvers import Solver
from maieutic.tree import Tree

if TYPE_CHECKING:
    from maieutic.relate import BeliefGraph

__all__ = [
    "DEFAULT_SOLVER",
    "INFERENCES",
    "Constraint",
    "Inference",
    "Verdict",
    "check_abstention",
    "check_assumptions",
    "check_inference",
    "check_joint",
    "clause_of",
    "infer",
]

Inference = Literal["joint", "vote"]
INFERENCES: tuple[Inference, ...] = ("joint", "vote")

# Vote's answer hangs on the choice among equally good labellings: plain RC2 chooses as the reference
# does. The graded weights of joint are all different, which plain RC2 is slow on.
DEFAULT_SOLVER: Mapping[Inference, str] = {"joint": "rc2-stratified", "vote": "rc2"}


def check_inference(name: str) -> Inference:
    """The inference of that name.

    Raises:
        InputError: there is none.
    """
    for inference in INFERENCES:
        if inference == name:
            return inference
    raise InputError(f"inference must be one of {', '.join(INFERENCES)}, not {name!r}")


def check_abstention(below: float, inference: Inference) -> float:
    """The least probability of an answer that is not unsure.

    Raises:
        InputError: it is not in [0, 1], or the inference gives no P(true).
    """
    if not 0.0 <= below <= 1.0:
        raise InputError(f"abstain_below must be in [0, 1], not {below!r}")
    if below > 0 and inference != "joint":
        raise InputError(
            f"{inference} gives no P(true) to abstain by; use joint, or leave --abstain-below out"
        )
    return below


def check_assumptions(assumptions: Sequence[Assumption], inference: Inference) -> tuple[Assumption, ...]:
    """The assumptions.

    Raises:
        InputError: there are some, and the inference has no place for them.
    """
    if assumptions and inference != "joint":
        raise InputError(f"{inference} has no place for assumptions; use joint, or leave --assume out")
    return tuple(assumptions)


def check_joint(config: JointConfig, inference: Inference) -> JointConfig:
    """The settings of joint inference.

    Raises:
        InputError: they ask for what another inference cannot do.
    """
    given = [field.name for field in fields(config) if getattr(config, field.name) != field.default]
    if inference != "joint" and given:
        raise InputError(f"{inference} has no setting {given[0]!r}; use joint, or leave it out")
    return config


def infer(
    tree: Tree,
    graph: BeliefGraph,
    inference: Inference,
    solver: Solver,
    config: JointConfig = JointConfig(),  # noqa: B008 - frozen
    *,
    decided: bool = False,
    assumptions: Sequence[Assumption] = (),
) -> Verdict:
    """Answer one tree from its belief graph (:func:`maieutic.relate.relate`).

    With ``decided`` every explanation keeps the side that the model finds likelier, where both beliefs
    are known, and only the others and Q are left to weigh.

    Args:
        config: of joint inference; vote has no settings.
        assumptions: those that the graph was made with; joint inference only.

    Raises:
        InputError: assumptions that cannot all hold, or that vote inference has no place for.
        MaieuticError: the solver failed.
    """
    check_assumptions(assumptions, inference)
    held = tuple(form.name for form in forms_of(tree) if form.known) if decided else ()
    if inference == "joint":
        return joint(tree, graph, solver, config, held, assumptions)
    return vote(tree, graph, solver, held)
