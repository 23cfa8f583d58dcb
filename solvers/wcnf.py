"""WCNF, the file format of the MaxSAT Evaluation, in its two forms.

    since 2022 ("2022")             until 2021 ("p-line")
    c a comment                     c a comment
    h -1 -2 0                       p wcnf 2 3 6
    3 1 0                           6 -1 -2 0
    2 2 0                           3 1 0
                                    2 2 0

One clause a line, ended by 0. A soft clause starts with its weight. A hard clause starts with
``h``, or with a weight >= TOP, the last number of the p line (where that is left out, every clause
is soft). Files ending in ``.gz`` and ``.xz`` are compressed. Source, with both forms side by side:
https://maxsat-evaluations.github.io/2020/format.html.

Weights in a file are positive integers, with a sum below 2⁶³. A problem whose weights are all
integers is written as it is. Other weights are multiplied by the largest power of ten, at most 10⁹,
that keeps their sum below 2⁶², then rounded to the nearest integer, ties to even; so a weight comes
back to within half of one over that scale. Comments carry what the format has no place for, and
are read back: ``c maieutic weight-scale N`` (divide the weights by N), ``c maieutic variables N``
and ``c maieutic clauses N`` (which also betrays a file that was cut between two lines).

>>> print(dumps(loads("h -1 -2 0\\n3 1 0\\n2 2 0\\n"), "p-line"), end="")
p wcnf 2 3 6
6 -1 -2 0
3 1 0
2 2 0
"""

from __future__ import annotations

import gzip
import lzma
import re
import zlib
from fractions import Fraction
from pathlib import Path
from typing import Literal, TypeAlias

from maieutic.errors import FileFormatError, InputError, ProblemError
from maieutic.solvers.problem import MAX_VARIABLES, Clause, SoftClause, WeightedCNF

__all__ = ["Format", "dumps", "loads", "read_wcnf", "write_wcnf"]

Format: TypeAlias = Literal["2022", "p-line"]

MAX_SCALE_POWER = 9
"""Weights that are not integers keep at most nine decimals."""
SUM_LIMIT = 1 << 63
"""The Evaluation's bound on the sum of the soft weights (exclusive)."""
SCALED_SUM_LIMIT = 1 << 62
"""Ours for weights we scale: one bit to spare, since solvers add the weight of a hard clause."""

INTEGER = re.compile(r"[+-]?[0-9]{1,40}", re.ASCII)
DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)


def read_wcnf(path: str | Path, *, rescale: bool = True) -> WeightedCNF:
    """The problem in a file of either form, plain or compressed.

    Args:
        path: the file; ``.gz`` and ``.xz`` say how it is compressed.
        rescale: divide the weights by the scale that a comment of ours names. False leaves the
            file's own integers, the unit in which every other solver reports this file's cost.

    Raises:
        FileFormatError: the file cannot be read, or breaks the format at a line it names.
    """
    path = Path(path)
    data = _read_bytes(path)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FileFormatError(path, line, "not UTF-8 text; is this a WCNF file?") from error
    return loads(text, str(path), rescale=rescale)


def write_wcnf(problem: WeightedCNF, path: str | Path, format: Format = "2022") -> None:
    """Write the problem to a file, compressed where its name ends in ``.gz`` or ``.xz``.

    Raises:
        ProblemError: the weights do not fit the format's integers (see :func:`dumps`).
        InputError: the file cannot be written.
    """
    path = Path(path)
    data = dumps(problem, format).encode("utf-8")
    if path.suffix == ".gz":
        data = gzip.compress(data, mtime=0)  # without a time stamp: same problem, same bytes
    elif path.suffix == ".xz":
        data = lzma.compress(data)
    try:
        path.write_bytes(data)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); try another path") from error


def dumps(problem: WeightedCNF, format: Format = "2022") -> str:
    """The problem as WCNF text, clauses in order, hard ones first; ``loads`` undoes it.

    Raises:
        ProblemError: the sum of the weights is too large, or a weight would be rounded to 0.
    """
    if format not in ("2022", "p-line"):
        raise InputError(f"WCNF format {format!r} is unknown: give '2022' or 'p-line'")
    scale, weights = _file_weights(problem)
    total = len(problem.hard) + len(problem.soft)
    lines = [] if scale is None else [f"c maieutic weight-scale {scale}"]
    if format == "2022":
        hard = "h"
        lines += [f"c maieutic variables {problem.variables}", f"c maieutic clauses {total}"]
    else:
        hard = str(sum(weights) + 1)
        lines.append(f"p wcnf {problem.variables} {total} {hard}")
    lines += [_row(hard, clause) for clause in problem.hard]
    lines += [_row(w, item.clause) for w, item in zip(weights, problem.soft, strict=True)]
    return "\n".join(lines) + "\n"


def loads(text: str, name: str = "<text>", *, rescale: bool = True) -> WeightedCNF:
    """The problem in WCNF text of either form; ``name`` stands for it in messages.

    Integer weights stay integers. Decimal ones, which python-sat writes, are read as doubles.

    Raises:
        FileFormatError: the text breaks the format, at a line it names.
    """
    reader = _Reader(name)
    for number, line in enumerate(text.split("\n"), start=1):
        tokens = line.split()
        if not tokens:
            continue
        if tokens[0] == "p":
            reader.p_line(number, tokens)
        elif tokens[0].startswith("c"):
            reader.comment(number, tokens)
        else:
            reader.clause(number, tokens)
    return reader.problem(rescale)


class _Reader:
    """What has been read of one text so far."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.counts: tuple[int, int] | None = None  # variables and clauses of the p line
        self.top: float | None = None  # weights from here on are hard
        self.notes: dict[str, int] = {}  # the comments that are ours
        self.hard: list[Clause] = []
        self.soft: list[SoftClause] = []

    def p_line(self, line: int, tokens: list[str]) -> None:
        if self.counts is not None or self.hard or self.soft:
            raise self.error(line, "a p line after the start; keep one, before the clauses")
        if len(tokens) not in (4, 5) or tokens[1] != "wcnf":
            raise self.error(line, "write the p line as 'p wcnf VARIABLES CLAUSES [TOP]'")
        variables, clauses = (self.integer(line, token) for token in tokens[2:4])
        if not 0 <= variables <= MAX_VARIABLES or clauses < 0:
            raise self.error(line, f"counts go from 0, variables up to {MAX_VARIABLES}")
        self.counts = (variables, clauses)
        self.top = self.weight(line, tokens[4]) if len(tokens) == 5 else None

    def comment(self, line: int, tokens: list[str]) -> None:
        if tokens[:2] != ["c", "maieutic"] or len(tokens) < 3:
            return
        key, values = tokens[2], tokens[3:]
        least = {"weight-scale": 1, "variables": 0, "clauses": 0}.get(key)
        if least is None:
            return
        if len(values) != 1 or key in self.notes or self.integer(line, values[0]) < least:
            raise self.error(line, f"write 'c maieutic {key} N' once, N an integer >= {least}")
        self.notes[key] = int(values[0])

    def clause(self, line: int, tokens: list[str]) -> None:
        if self.counts is not None and len(self.hard) + len(self.soft) == self.counts[1]:
            raise self.error(line, f"more clauses than the {self.counts[1]} of the p line; raise it")
        head, *rest = tokens
        if head == "h" and self.counts is not None:
            raise self.error(line, "'h' is of the 2022 form; in a file with a p line write TOP")
        weight = None if head == "h" else self.weight(line, head)
        literals = tuple(self.integer(line, token) for token in rest)
        if not literals or literals[-1] != 0:
            raise self.error(line, "the clause does not end with 0: truncated here? Restore it or add the 0")
        if 0 in literals[:-1]:
            raise self.error(line, "literals after a 0, which ends a clause; one clause per line")
        self.check_variables(line, literals)
        if weight is None or (self.top is not None and weight >= self.top):
            self.hard.append(literals[:-1])
        else:
            self.soft.append(SoftClause(literals[:-1], weight))

    def check_variables(self, line: int, literals: Clause) -> None:
        limit, source = MAX_VARIABLES, "this program takes"
        if self.counts is not None:
            limit, source = self.counts[0], "the p line announces"
        largest = max(map(abs, literals))
        if largest > limit:
            raise self.error(line, f"variable {largest} is beyond the {limit} that {source}")

    def problem(self, rescale: bool) -> WeightedCNF:
        found = len(self.hard) + len(self.soft)
        variables, clauses = self.counts or (self.notes.get("variables", 0), found)
        if self.counts is None and not found and "clauses" not in self.notes:
            raise self.error(None, "no clause in it: truncated or empty; fetch or write it again")
        for announced in (clauses, self.notes.get("clauses", found)):
            if announced != found:
                raise self.error(
                    None,
                    f"{announced} clauses are announced and {found} are there: truncated?"
                    " Fetch it again, or correct the announced number",
                )
        scale = self.notes.get("weight-scale", 1) if rescale else 1
        soft = self.soft
        if scale != 1:
            soft = [SoftClause(item.clause, item.weight / scale) for item in soft]
        try:
            return WeightedCNF(tuple(self.hard), tuple(soft), variables)
        except ProblemError as error:
            raise self.error(None, str(error)) from error

    def weight(self, line: int, token: str) -> float:
        if INTEGER.fullmatch(token):
            value: float = int(token)
        elif DECIMAL.fullmatch(token):
            value = float(token)
        else:
            raise self.error(line, f"{token!r} is not a weight; give a number > 0, or 'h'")
        if not 0 < value < float("inf"):
            raise self.error(line, f"weight {token}: a weight is a finite number > 0")
        return value

    def integer(self, line: int, token: str) -> int:
        if not INTEGER.fullmatch(token):
            raise self.error(line, f"{token!r} is not an integer; correct it")
        return int(token)

    def error(self, line: int | None, problem: str) -> FileFormatError:
        return FileFormatError(self.name, line, problem)


def _read_bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise FileFormatError(path, None, "no such file; check the path") from error
    except OSError as error:
        raise FileFormatError(path, None, f"cannot be read ({error.strerror})") from error
    try:
        if path.suffix == ".gz":
            return gzip.decompress(data)
        if path.suffix == ".xz":
            return lzma.decompress(data)
    except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        raise FileFormatError(
            path, None, f"truncated or not {path.suffix} data ({error}); fetch it again"
        ) from error
    return data


def _file_weights(problem: WeightedCNF) -> tuple[int | None, list[int]]:
    """The scale, None where none is needed, and the soft weights as the file's integers."""
    exact = [Fraction(item.weight) for item in problem.soft]
    if all(weight.denominator == 1 for weight in exact):
        scale, weights = None, [int(weight) for weight in exact]
        if sum(weights) >= SUM_LIMIT:
            raise ProblemError("the weights add up to 2^63 or more, too much for WCNF: divide them")
        return scale, weights
    for power in range(MAX_SCALE_POWER, -1, -1):
        weights = [round(weight * 10**power) for weight in exact]
        if sum(weights) < SCALED_SUM_LIMIT:
            break
    else:
        raise ProblemError("the weights add up to 2^62 or more, too much for WCNF: divide them")
    if 0 in weights:
        index = weights.index(0)
        raise ProblemError(
            f"soft[{index}] has the weight {problem.soft[index].weight!r}, which WCNF's scale of"
            f" {10**power} rounds to 0: multiply all weights, or drop the clause"
        )
    return 10**power, weights


def _row(head: str | int, clause: Clause) -> str:
    return " ".join(map(str, (head, *clause, 0)))
