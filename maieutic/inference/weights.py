"""The weights of joint inference: one frozen set, read from and written to TOML."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from maieutic.errors import FileFormatError, InputError
from maieutic.files.reading import read_toml
from maieutic.priors import Priors, log_odds

if TYPE_CHECKING:
    from maieutic.inference.graph import Relation

__all__ = [
    "DEFAULT_WEIGHTS",
    "EVERY_TERM",
    "LARGEST",
    "PRIORS",
    "TERMS",
    "JointWeights",
    "read_weights",
    "weights_toml",
]

TERMS = (
    "root",
    "root_negation",
    "chain",
    "integral",
    "wavering",
    "entailment",
    "contradiction",
    "negation",
    "at_root",
    "true_child",
    "false_child",
    "bias",
)
"""The weights that multiply a term of the model, in their order; 0 switches a term off."""

PRIORS = {"root": "prior_root", "root_negation": "prior_negation", "chain": "prior_chain"}
"""The terms of the model's judgements of Q, and the parameters that hold their priors."""
SIGNED = frozenset({"bias", *PRIORS.values()})  # may be negative


LARGEST = 1e9  # nats; more than any evidence weighs, and few enough for exact sums


@dataclass(frozen=True, slots=True)
class JointWeights:
    """The seventeen parameters of joint inference. ``weights.toml`` beside this module has the defaults.

    A labelling's log-probability is minus what it costs, up to a constant, so that weights are nats. A
    probability p enters by its log-odds, ln(p / (1 − p)), within ± ``clip``, times the scale of its
    kind. Scales below 1 say that such evidence is overconfident or repeats itself.

    Attributes:
        root: belief in Q, P(true | Q) against even odds. ``root_negation``: belief in ¬Q, P(true | ¬Q)
            against even odds, which speaks against Q. With equal weights the two are P(true | Q) against
            P(true | ¬Q), and what a model finds true of any sentence cancels out.
        chain: P(true | Q) after a chain of thought, against even odds.
        integral: belief in an integral explanation E, P(true | E) against P(true | ¬E).
        wavering: the same for one that is not integral, where both are known.
        entailment: the verifier's relation of two explanations that are taken as their statements;
            ``contradiction`` likewise. The relations share their weight: each is divided by the number of
            explanations that the one could be related to.
        negation: the same of either kind where an explanation is taken as its negation.
        at_root: a relation of an explanation to Q or ¬Q, or of these to it; each is divided by the number
            of explanations.
        true_child: nats of "what the True prompt gave speaks for its parent"; a sentence that both prompts
            gave speaks for neither.
        false_child: nats of "what the False prompt gave speaks against its parent".
        bias: log-odds that a statement asked about is true before anything is known; may be negative.
        threshold: a relation less probable than this is left out, in [0, 1); one below 1/2 says nothing
            anyway.
        clip: largest log-odds of one piece of evidence, nats, > 0.
        prior_root: log-odds, in nats, that the model gives to any statement, whatever it says. They are
            subtracted before the belief in Q counts (Zhao et al. 2021; Zhou et al. 2024). Likewise
            ``prior_negation`` for ¬Q and ``prior_chain`` after a chain of thought. 0 for a model whose priors
            are not known; ``maieutic calibrate`` estimates them without labels.

    Raises:
        InputError: a value is out of its range; ``subject`` is its name.
    """

    root: float
    root_negation: float
    chain: float
    integral: float
    wavering: float
    entailment: float
    contradiction: float
    negation: float
    at_root: float
    true_child: float
    false_child: float
    bias: float
    threshold: float
    clip: float
    prior_root: float
    prior_negation: float
    prior_chain: float

    def __post_init__(self) -> None:
        for field in fields(self):
            name, value = field.name, getattr(self, field.name)
            rule = "a finite number" if name in SIGNED else "a finite number ≥ 0"
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not abs(value) <= LARGEST or (name not in SIGNED and value < 0):
                raise InputError(f"joint weight {name!r} must be {rule}, not {str(value)[:40]}", subject=name)
            object.__setattr__(self, name, float(value))
        for name, fits, rule in (("threshold", self.threshold < 1, "< 1"), ("clip", self.clip > 0, "> 0")):
            if not fits:
                raise InputError(
                    f"joint weight {name!r} must be {rule}, not {getattr(self, name)!r}", subject=name
                )

    def log_odds(self, p: float, p_other: float) -> float:
        """ln(p / p_other), clipped to ± ``clip``; 0 when both are 0."""
        if p == p_other:
            return 0.0
        if min(p, p_other) <= 0.0:
            return math.copysign(self.clip, p - p_other)
        return max(-self.clip, min(self.clip, math.log(p / p_other)))

    def with_priors(self, priors: Priors) -> JointWeights:
        """The same weights for a model with these priors."""
        return replace(
            self,
            prior_root=priors.statement,
            prior_negation=priors.negation,
            prior_chain=priors.chain,
        )

    @property
    def priors(self) -> Priors | None:
        """The priors that are subtracted; None where there are none."""
        priors = Priors(self.prior_root, self.prior_negation, self.prior_chain)
        return None if priors == Priors(0.0, 0.0, 0.0) else priors

    def judged(self, term: str, p: float | None) -> float:
        """What a judgement of Q says, in nats: its log-odds without their prior, within ± ``clip``.

        Args:
            term: a key of :data:`PRIORS`.
            p: P(true); None says nothing.
        """
        if p is None:
            return 0.0
        odds: float = log_odds(p, self.clip) - getattr(self, PRIORS[term])
        return max(-self.clip, min(self.clip, odds))

    def strength(self, relation: Relation) -> float:
        """ln(p / (1 − p)) of a relation that is not neutral, clipped; 0 below ``threshold`` or 1/2."""
        p = relation.probability
        return max(0.0, log_odds(p, self.clip)) if p >= self.threshold else 0.0


def read_weights(path: Path) -> JointWeights:
    """Read a weights file: a TOML table ``[weights]`` with every parameter of :class:`JointWeights`.

    Other tables, which tell where the weights come from, are ignored.

    Raises:
        FileFormatError: the file cannot be read, is no TOML, or a weight is missing, unknown or out of range.
    """
    given = read_toml(path)
    table = given.get("weights")
    if not isinstance(table, dict):
        raise FileFormatError(path, None, "has no table [weights]; write one with maieutic calibrate")
    known = [field.name for field in fields(JointWeights)]
    if stray := sorted(table.keys() - set(known)):
        raise FileFormatError(path, None, f"{stray[0]!r} is no weight; there are {', '.join(known)}")
    if missing := [name for name in known if name not in table]:
        raise FileFormatError(path, None, f"the weight {missing[0]!r} is missing; 0 switches a term off")
    try:
        return JointWeights(**table)
    except InputError as error:
        raise FileFormatError(path, None, f"{error}; correct it") from None


def weights_toml(weights: JointWeights, made_by: Mapping[str, str | int | float]) -> str:
    """A weights file. ``made_by`` tells where the numbers come from, one short line each."""
    lines = ["[made_by]", *(f"{name} = {_toml(value)}" for name, value in made_by.items())]
    lines += ["", "[weights]", *(f"{name} = {value!r}" for name, value in asdict(weights).items())]
    return "\n".join(lines) + "\n"


def _toml(value: str | int | float) -> str:
    if not isinstance(value, str):
        return repr(value)
    plain = "".join(c if c.isprintable() else " " for c in value)
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'


DEFAULT_WEIGHTS = read_weights(Path(__file__).with_name("weights.toml"))

EVERY_TERM = replace(DEFAULT_WEIGHTS, **dict.fromkeys(TERMS, 1.0))
"""Gives every term a weight, so that joint inference asks for all relations: for learning weights."""
