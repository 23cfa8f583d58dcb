"""Weights under which every kind of evidence counts, for tests that do not follow the shipped ones."""

from __future__ import annotations

from dataclasses import replace

from maieutic.inference.weights import DEFAULT_WEIGHTS

__all__ = ["TELLING"]

TELLING = replace(
    DEFAULT_WEIGHTS,
    root=0.23,
    root_negation=0.0,
    integral=0.99,
    entailment=0.25,
    contradiction=0.27,
    at_root=0.12,
    true_child=0.46,
    false_child=0.52,
)
