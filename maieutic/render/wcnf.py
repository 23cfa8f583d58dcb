"""An answer's MaxSAT problem as a file for any other solver.

Solving the file with the variable of Q forced to the answer gives its cost, to within the nine decimals of
the format; forced to the opposite value, the cost plus the margin, or less where the margin is 0 (joint
inference; the file of vote inference has no Q). Literals that must hold, such as assumptions, are hard
clauses; merged propositions share a variable.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from maieutic.errors import InputError
from maieutic.inference.constraints import Encoding
from maieutic.inference.graph import Literal
from maieutic.reasoning import Reasoning
from maieutic.render.text import printable
from maieutic.render.view import caption
from maieutic.solvers.wcnf import MAX_SCALE_POWER, dumps
from maieutic.tree import ROOT

__all__ = ["encoding_of", "render_wcnf"]

LEAST_WEIGHT = 0.5 * 10**-MAX_SCALE_POWER  # the format rounds smaller weights to 0


def render_wcnf(answer: Reasoning) -> str:
    """The problem in the 2022 form, with comments that name the proposition of each variable.

    Raises:
        InputError: the inference solves no MaxSAT problem; ``subject`` is its name.
        ProblemError: a weight is not that of a soft clause (the answer was edited by hand).
    """
    if answer.verdict.strengths is not None:
        name = answer.verdict.inference
        raise InputError(f"{name} inference solves no MaxSAT problem; use joint or vote", subject=name)
    encoding = encoding_of(answer)
    lines = list(_comments(answer, encoding))
    if left_out := len(answer.verdict.constraints) - len(encoding.problem.soft):
        lines.append(f"{left_out} clauses of weight below {LEAST_WEIGHT:.0e} are left out")
    comments = "".join(f"c {line}\n" for line in lines)
    return comments + dumps(encoding.problem, "2022")


def encoding_of(answer: Reasoning) -> Encoding:
    """The answer's MaxSAT problem without the clauses of weight below :data:`LEAST_WEIGHT`.

    Q is the first variable, except in vote inference, which has none for it.

    Raises:
        ProblemError: as for :func:`render_wcnf`.
    """
    verdict = answer.verdict
    heavy = tuple(c for c in verdict.constraints if not 0 < c.weight <= LEAST_WEIGHT)
    return replace(verdict, constraints=heavy, violated=(), flip=None).encoding


def _comments(answer: Reasoning, encoding: Encoding) -> Iterator[str]:
    verdict, variables = answer.verdict, encoding.variables
    yield f"the soft clauses of an answer ({verdict.inference} inference), weights in units of its cost"
    yield f"answer: {caption(answer)}, cost {verdict.cost:.9g}"
    if ROOT in variables:
        yield f"variable {variables[ROOT]} is {ROOT}, the statement that was asked about"
    else:
        yield f"{ROOT} is not a variable; statement: {printable(answer.statement)}"
    for node in answer.propositions:
        if node.id in variables:
            literal = Literal(node.id, variables[node.id] > 0)
            text = node.statement if literal.positive else node.negation
            yield f"variable {abs(variables[node.id])} = {literal}: {printable(text)}"
