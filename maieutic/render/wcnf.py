"""An answer's soft clauses as a weighted MaxSAT file: what the solver was given, for any other solver.

Solving the file gives the answer's cost again, to within the nine decimals that the format keeps; with
the answer's variable forced to the other value it gives the cost plus the margin (joint inference).
What had to hold, such as an assumption, is a hard clause; merged propositions share a variable.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from maieutic.answer import Answer
from maieutic.inference.constraints import problem_from, variables_of
from maieutic.render.text import printable
from maieutic.render.view import caption
from maieutic.solvers import WeightedCNF
from maieutic.solvers.wcnf import MAX_SCALE_POWER, dumps
from maieutic.tree import ROOT

__all__ = ["problem_of", "render_wcnf"]

LEAST_WEIGHT = 0.5 * 10**-MAX_SCALE_POWER  # the format rounds lighter clauses to nothing


def render_wcnf(answer: Answer) -> str:
    """The problem in the 2022 form, with comments that say which variable stands for what.

    Raises:
        ProblemError: the weights are not those of a MaxSAT problem (an answer edited by hand).
    """
    problem, variables = problem_of(answer)
    lines = list(_comments(answer, variables))
    if left_out := len(answer.constraints) - len(problem.soft):
        lines.append(f"{left_out} clauses that weigh less than {LEAST_WEIGHT:.0e} are left out")
    comments = "".join(f"c {line}\n" for line in lines)
    return comments + dumps(problem, "2022")


def problem_of(answer: Answer) -> tuple[WeightedCNF, Mapping[str, int]]:
    """The clauses of an answer, and each proposition's literal (Q is the first variable, if any).

    Clauses too light for a file to hold are left out: together they weigh less than anything printed.

    Raises:
        ProblemError: as for :func:`render_wcnf`.
    """
    ids = [node.id for node in answer.propositions]
    used = {*answer.held, *(name for c in answer.constraints for name in (c.source, c.target))}
    if answer.inference == "vote" and not used & {ROOT, f"¬{ROOT}"}:
        ids.remove(ROOT)  # what is labelled true votes on it
    variables = variables_of(ids, answer.merged)
    kept = (c for c in answer.constraints if not 0 < c.weight <= LEAST_WEIGHT)
    return problem_from(kept, variables, answer.held), variables


def _comments(answer: Answer, variables: Mapping[str, int]) -> Iterator[str]:
    yield f"the soft clauses of an answer ({answer.inference} inference), weights in units of its cost"
    yield f"answer: {caption(answer)}, cost {answer.cost:.9g}"
    if ROOT in variables:
        yield f"variable {variables[ROOT]} is {ROOT}, the statement that was asked about"
    else:
        yield f"{ROOT} has no variable: what is labelled true votes on it; {printable(answer.statement)}"
    for node in answer.propositions:
        if node.id in variables:
            literal = variables[node.id]
            name, text = (node.id, node.statement) if literal > 0 else (f"¬{node.id}", node.negation)
            yield f"variable {abs(literal)} = {name}: {printable(text)}"
