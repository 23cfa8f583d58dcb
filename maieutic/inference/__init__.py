"""Inference: tree + belief graph → labels, an answer and how sure it is. One file an inference.

Importing this package loads neither python-sat nor numpy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from maieutic.errors import InputError
from maieutic.inference.argue import Argue
from maieutic.inference.base import Inference, PairPlan, Verdict
from maieutic.inference.graph import BeliefGraph, Form, Literal, Relation
from maieutic.inference.joint import Joint
from maieutic.inference.vote import Vote

__all__ = [
    "INFERENCES",
    "Argue",
    "BeliefGraph",
    "Form",
    "Inference",
    "Joint",
    "Literal",
    "PairPlan",
    "Relation",
    "Verdict",
    "Vote",
    "build_inference",
]

INFERENCES: Mapping[str, Callable[..., Inference]] = {"joint": Joint, "vote": Vote, "argue": Argue}
"""Name in options and records → class."""


def build_inference(name: str, settings: Mapping[str, Any]) -> Inference:
    """The inference of that name.

    Args:
        settings: fields of its class; those that are left out keep their defaults.

    Raises:
        InputError: there is no such inference, or it has no such setting. ``subject`` is the name.
    """
    if name not in INFERENCES:
        raise InputError(f"inference must be {', '.join(INFERENCES)}, not {name!r}", subject="inference")
    cls: Any = INFERENCES[name]
    known = {field.name for field in fields(cls)}
    if stray := next((key for key in settings if key not in known), None):
        raise InputError(f"{name} inference has no {stray}; use joint, or leave it out", subject=stray)
    inference: Inference = cls(**settings)
    return inference
