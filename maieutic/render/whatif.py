"""What a page needs to hold propositions true or false and infer anew: the variables of joint inference.

The page tries every labelling (``labellings.js``), so it is exact, and it takes few free variables only.
"""

from __future__ import annotations

from typing import Any

from maieutic.inference.constraints import Encoding
from maieutic.reasoning import Reasoning
from maieutic.tree import ROOT

__all__ = ["MAX_FREE", "whatif_of"]

MAX_FREE = 20  # variables: a million labellings, some tenths of a second


def whatif_of(answer: Reasoning) -> dict[str, Any]:
    """The variables and what always holds, or why the page cannot infer anew.

    Returns:
        ``variables``: for each of the answer's propositions the literal of its statement, ± a number from 1;
        merged propositions share one. ``held``: the literals that must hold. Or only ``reason``: one
        sentence.
    """
    verdict = answer.verdict
    if verdict.margin_unit != "nats":
        return {"reason": f"What if is for joint inference; this is {verdict.inference} inference."}
    together = any(constraint.other is not None for constraint in verdict.constraints)
    if together or verdict.rules:
        what = "two assumptions count together" if together else "a remembered choice binds several"
        return {"reason": f"What if takes reasons one by one; here {what}."}
    nodes = answer.propositions
    variables = Encoding.of(verdict.variables, (), (), verdict.merged).variables
    if len(nodes) == 1:
        return {"reason": "What if needs explanations; this tree has none."}
    if not {node.id for node in nodes} <= variables.keys() or variables[ROOT] < 0:
        return {"reason": "What if needs a variable for every proposition; this answer lacks some."}
    held = {variables[lit.id] if lit.positive else -variables[lit.id] for lit in verdict.held}
    free = {abs(variable) for variable in variables.values()} - {abs(literal) for literal in held}
    if len(free) > MAX_FREE:
        return {"reason": f"What if takes at most {MAX_FREE} propositions; this tree has {len(free)}."}
    return {"variables": [variables[node.id] for node in nodes], "held": sorted(held)}
