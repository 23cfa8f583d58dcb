"""The question "is there a labelling that costs less than this?" as a CNF, for a plain SAT solver.

The cost is the pseudo-Boolean sum Σ wᵢ·bᵢ, in which bᵢ says that soft clause i is violated. Full and half
adders write the sum in binary, and clauses compare it with the bound. No part of this is shared with RC2,
which counts the violated clauses of a core in totalizers.

Reference: N. Eén, N. Sörensson. "Translating Pseudo-Boolean Constraints into SAT". Journal on Satisfiability,
Boolean Modeling and Computation 2, 2006, pp. 1–26, section 5.3 (adders).

Two statements that exclude each other cost 2 at least: nothing is below 2, but something is below 3.

>>> from maieutic.solvers.problem import SoftClause
>>> problem = WeightedCNF(hard=((-1, -2),), soft=(SoftClause((1,), 3), SoftClause((2,), 2)))
>>> from pysat.solvers import Solver as Sat
>>> [Sat("cadical195", bootstrap_with=below(problem, bound)).solve() for bound in (2, 3)]
[False, True]
"""

from __future__ import annotations

import math
from collections import defaultdict
from fractions import Fraction

from maieutic.solvers.problem import WeightedCNF

__all__ = ["below"]


def below(problem: WeightedCNF, cost: Fraction | int) -> list[list[int]]:
    """Clauses that are satisfiable iff a labelling satisfies the hard clauses and costs less than ``cost``.

    The variables of the problem come first, so that a model's beginning is a labelling.

    Args:
        cost: exact, in the unit of the weights.
    """
    bound = cost * problem.denominator  # the sum of the integer weights must be smaller
    always = sum(w for w, s in zip(problem.integer_weights, problem.soft, strict=True) if not s.clause)
    writer = _Writer([list(clause) for clause in problem.hard], problem.variables)
    bits: dict[int, list[int]] = defaultdict(list)  # place of a binary digit → literals that are added there
    for weight, item in zip(problem.integer_weights, problem.soft, strict=True):
        if item.clause:
            violated = writer.violated(item.clause)
            for place in range(weight.bit_length()):
                if weight >> place & 1:
                    bits[place].append(violated)
    most = math.ceil(Fraction(bound)) - 1 - always  # the largest integer that the sum may be
    if most < 0:
        return [*writer.clauses, []]
    writer.at_most(writer.added(bits), most)
    return writer.clauses


class _Writer:
    """The clauses written so far, and the next new variable."""

    def __init__(self, clauses: list[list[int]], variables: int) -> None:
        self.clauses = clauses
        self.last = variables

    def new(self) -> int:
        self.last += 1
        return self.last

    def violated(self, clause: tuple[int, ...]) -> int:
        """A literal that is true where the clause is violated."""
        if len(set(clause)) == 1:
            return -clause[0]
        flag = self.new()
        self.clauses.append([flag, *clause])
        return flag

    def added(self, bits: dict[int, list[int]]) -> list[int]:
        """The literal of each binary digit of the sum, the lowest first; 0 for a digit that is always 0."""
        digits: list[int] = []
        while any(place >= len(digits) for place in bits):
            queue = bits.pop(len(digits), [])
            while len(queue) > 1:
                inputs, queue = queue[:3], queue[3:]
                queue.append(self._odd(inputs))
                bits[len(digits) + 1].append(self._carry(inputs))
            digits.append(queue[0] if queue else 0)
        return digits

    def at_most(self, digits: list[int], most: int) -> None:
        """The number with these binary digits is at most ``most``."""
        higher: list[int] = []  # negated digits above, where ``most`` has a 1: one of them makes it smaller
        for place in range(max(len(digits), most.bit_length()) - 1, -1, -1):
            digit = digits[place] if place < len(digits) else 0
            if most >> place & 1:
                if not digit:
                    return  # smaller whatever follows
                higher.append(-digit)
            elif digit:
                self.clauses.append([-digit, *higher])

    def _odd(self, inputs: list[int]) -> int:
        """A literal that is true iff an odd number of the two or three inputs is."""
        out = self.new()
        for code in range(1 << len(inputs)):
            values = [code >> place & 1 for place in range(len(inputs))]
            clause = [-x if value else x for x, value in zip(inputs, values, strict=True)]
            self.clauses.append([*clause, out if sum(values) % 2 else -out])
        return out

    def _carry(self, inputs: list[int]) -> int:
        """A literal that is true iff at least two of the two or three inputs are."""
        out = self.new()
        if len(inputs) == 2:
            one, other = inputs
            self.clauses += [[-one, -other, out], [one, -out], [other, -out]]
            return out
        for skipped in range(3):
            one, other = (x for place, x in enumerate(inputs) if place != skipped)
            self.clauses += [[-one, -other, out], [one, other, -out]]
        return out
