"""Grows maieutic trees: abduction, negation, belief (paper, sections 3.1–3.2).

:mod:`maieutic.elicit.anytime` stops where P(Q) is known well enough; :mod:`maieutic.elicit.reference` is the
paper's breadth-first way. Both take the same :mod:`maieutic.elicit.steps`.
"""

from __future__ import annotations

from maieutic.elicit.anytime import Standing
from maieutic.elicit.growth import elicit
from maieutic.elicit.state import Growth
from maieutic.elicit.steps import MIN_VERDICT_MASS

__all__ = ["MIN_VERDICT_MASS", "Growth", "Standing", "elicit"]
