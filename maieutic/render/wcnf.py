"""An answer's soft clauses as a weighted MaxSAT file: what the solver was given, for any other solver.

Solving the file gives the answer's cost again, to within the nine decimals that the format keeps; with
the answer's variable forced to the other value it gives the cost plus the margin (joint inference).
What had to hold, such as an assumption, is a hard clause; merged propositions share a variable.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from maieutic.answer import Answer
from maieutic.inference.constraints import Encoding
from maieutic.inference.graph import Literal
from maieutic.render.text import printable
from maieutic.render.view import caption
from maieutic.solvers.wcnf import MAX_SCALE_POWER, dumps
from maieutic.tree import ROOT

__all__ = ["encoding_of", "render_wcnf"]

LEAST_WEIGHT = 0.5 * 10**-MAX_SCALE_POWER  # the format rounds lighter clauses to nothing


def render_wcnf(answer: Answer) -> str:
    """The problem in the 2022 form, with comments that say which variable stands for what.

    Raises:
        ProblemError: the weights are not those of a MaxSAT problem (an answer edited by hand).
    """
    encoding = encoding_of(answer)
    lines = list(_comments(answer, encoding))
    if left_out := len(answer.verdict.constraints) - len(encoding.problem.soft):
        lines.append(f"{left_out} clauses that weigh less than {LEAST_WEIGHT:.0e} are left out")
    comments = "".join(f"c {line}\n" for line in lines)
    return comments + dumps(encoding.problem, "2022")


def encoding_of(answer: Answer) -> Encoding:
    """The answer's MaxSAT problem without clauses too light for a file to hold.

    Together these weigh less than anything printed. Q is the first variable, if it is one.

    Raises:
        ProblemError: as for :func:`render_wcnf`.
    """
    verdict = answer.verdict
    heavy = tuple(c for c in verdict.constraints if not 0 < c.weight <= LEAST_WEIGHT)
    return replace(verdict, constraints=heavy, violated=(), flip=None).encoding


def _comments(answer: Answer, encoding: Encoding) -> Iterator[str]:
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
