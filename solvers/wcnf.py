"""WCNF, the file format of the MaxSAT Evaluation, in its two forms.

    since 2022 ("2022")             until 2021 ("p-line")
    c a comment                     c a comment
    h -1 -2 0                       p wcnf 2 3 6
    3 1 0                           6 -1 -2 0
    2 2 0                           3 1 0
                                    2 2 0

A soft clause starts with its weight. A hard clause starts with ``h``, or with a weight >= TOP, the last
number of the p line (without TOP, every clause is soft). Files whose names end in ``.gz`` or ``.xz`` are
compressed. Source of both forms: https://maxsat-evaluations.github.io/2020/format.html.

A clause ends at its 0, as in all DIMACS formats; it may span several lines. A comment is a line that starts
with ``c``, or the rest of a line after a word ``c``. It may stand inside a clause, in any encoding.

Weights in a file are positive integers whose sum is below 2⁶³. If all weights are integers, they are
written unchanged. Otherwise they are multiplied by the largest power of ten, at most 10⁹, that keeps
their sum below 2⁶², and rounded to the nearest integer, ties to even. Reading the file restores each
weight to within 1 / (2 · scale). Comments store what the format cannot express, and are read back:
``c maieutic weight-scale N`` (divide the weights by N), ``c maieutic variables N`` and
``c maieutic clauses N`` (which also reveals a file truncated between two lines).

>>> print(dumps(loads("h -1 -2 0\\n3 1 0\\n2 2 0\\n"), "p-line"), end="")
p wcnf 2 3 6
6 -1 -2 0
3 1 0
2 2 0
"""

from __future__ import annotations

import codecs
import gzip
import io
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
"""Fractional weights keep at most nine decimal places."""
SUM_LIMIT = 1 << 63
"""The MaxSAT Evaluation's bound on the sum of the soft weights (exclusive)."""
SCALED_SUM_LIMIT = 1 << 62
"""Bound for scaled weights: one bit is left for the weight of a hard clause, which solvers add."""

INTEGER = re.compile(r"[+-]?[0-9]{1,400}", re.ASCII)
DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)


def read_wcnf(path: str | Path, *, rescale: bool = True) -> WeightedCNF:
    """Read a problem from a file of either form, plain or compressed.

    Args:
        path: the file; the suffix ``.gz`` or ``.xz`` selects the decompression.
        rescale: divide the weights by the scale in the ``weight-scale`` comment. False keeps the
            integers of the file, the unit in which other solvers report its cost.

    Raises:
        FileFormatError: the file cannot be read or violates the format (with the line).
    """
    data = _read_bytes(Path(path))
    encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    # Only comments can hold more than ASCII, and their encoding does not matter.
    return loads(data.decode(encoding, "replace"), str(path), rescale=rescale)


def write_wcnf(problem: WeightedCNF, path: str | Path, format: Format = "2022") -> None:
    """Write the problem to a file, compressed if its name ends in ``.gz`` or ``.xz``.

    Raises:
        ProblemError: the weights do not fit the format (see :func:`dumps`).
        InputError: the file cannot be written.
    """
    path = Path(path)
    data = dumps(problem, format).encode("utf-8")
    if path.suffix == ".gz":
        data = gzip.compress(data, mtime=0)  # no time stamp, so that equal problems give equal bytes
    elif path.suffix == ".xz":
        data = lzma.compress(data)
    try:
        path.write_bytes(data)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({error.strerror}); choose another path", subject=str(path)
        ) from error


def dumps(problem: WeightedCNF, format: Format = "2022") -> str:
    """The problem as WCNF text, hard clauses first, in order; the inverse of :func:`loads`.

    Raises:
        InputError: the format is unknown.
        ProblemError: the sum of the weights is too large, or a weight would be rounded to 0.
    """
    if format not in ("2022", "p-line"):
        raise InputError(f"WCNF format {format!r} is unknown; give '2022' or 'p-line'", subject="format")
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
    """Parse WCNF text of either form; ``name`` is the path that errors report.

    Integer weights stay integers. Decimal weights, which python-sat writes, become doubles.

    Raises:
        FileFormatError: the text violates the format (with the line).
    """
    reader = _Reader(name)
    for number, line in enumerate(io.StringIO(text, newline=None), start=1):
        tokens = line.split()
        if tokens and tokens[0].startswith("c"):
            reader.comment(number, tokens)
        elif tokens and tokens[0] == "p":
            reader.p_line(number, tokens)
        else:
            reader.clauses(number, tokens)
    return reader.problem(rescale)


class _Reader:
    """The state of one parse."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.counts: tuple[int, int] | None = None  # variables and clauses of the p line
        self.top: float | None = None  # clauses with at least this weight are hard
        self.notes: dict[str, int] = {}  # values of the ``c maieutic`` comments
        self.hard: list[Clause] = []
        self.soft: list[SoftClause] = []
        self.start = 0  # line on which the current clause starts; 0 between clauses
        self.weight: float | None = None  # its weight; None after ``h``
        self.literals: list[int] = []  # those read so far

    def p_line(self, line: int, tokens: list[str]) -> None:
        if self.counts is not None or self.hard or self.soft or self.start:
            raise self.error(line, "the p line is repeated or follows a clause; keep one, before the clauses")
        if len(tokens) not in (4, 5) or tokens[1] != "wcnf":
            raise self.error(line, "the p line must read 'p wcnf VARIABLES CLAUSES [TOP]'; correct it")
        variables, clauses = (self.integer(line, token) for token in tokens[2:4])
        if not 0 <= variables <= MAX_VARIABLES or clauses < 0:
            raise self.error(line, f"counts must be >= 0, and variables <= {MAX_VARIABLES}; correct them")
        self.counts = (variables, clauses)
        self.top = self.number(line, tokens[4]) if len(tokens) == 5 else None

    def comment(self, line: int, tokens: list[str]) -> None:
        if tokens[:2] != ["c", "maieutic"] or len(tokens) < 3:
            return
        key, values = tokens[2], tokens[3:]
        least = {"weight-scale": 1, "variables": 0, "clauses": 0}.get(key)
        if least is None:
            return
        if len(values) != 1 or key in self.notes or self.integer(line, values[0]) < least:
            raise self.error(line, f"'c maieutic {key} N' must occur once, with an integer N >= {least}")
        self.notes[key] = int(values[0])

    def clauses(self, line: int, words: list[str]) -> None:
        """Read a line that holds any part of one or more clauses."""
        for word in words:
            if word == "c":  # the rest of the line is a comment
                return
            if not self.start:
                self.start, self.weight, self.literals = line, self.head(line, word), []
            elif literal := self.literal(line, word):
                self.literals.append(literal)
            else:
                clause, self.start = tuple(self.literals), 0
                if self.weight is None or (self.top is not None and self.weight >= self.top):
                    self.hard.append(clause)
                else:
                    self.soft.append(SoftClause(clause, self.weight))

    def head(self, line: int, word: str) -> float | None:
        """The weight that starts a clause; None for ``h``."""
        count = self.counts and self.counts[1]
        if count == len(self.hard) + len(self.soft):
            raise self.error(line, f"more clauses than the {count} of the p line; correct the p line")
        if word != "h":
            return self.number(line, word)
        if self.counts is not None:
            raise self.error(line, "'h' belongs to the 2022 form; in a file with a p line write TOP")
        return None

    def literal(self, line: int, token: str) -> int:
        """The literal, or the 0 that ends a clause."""
        literal = self.integer(line, token)
        limit, source = (MAX_VARIABLES, "supported") if self.counts is None else (self.counts[0], "declared")
        if abs(literal) > limit:
            raise self.error(line, f"variable {abs(literal)} exceeds the {limit} {source}; renumber it")
        return literal

    def problem(self, rescale: bool) -> WeightedCNF:
        if self.start:
            raise self.error(self.start, "the clause does not end with 0; fetch the file again or add the 0")
        read = len(self.hard) + len(self.soft)
        variables, clauses = self.counts or (self.notes.get("variables", 0), read)
        if self.counts is None and not read and "clauses" not in self.notes:
            raise self.error(None, "the file has no clauses; fetch or write it again")
        for declared in (clauses, self.notes.get("clauses", read)):
            if declared != read:
                raise self.error(
                    None,
                    f"{declared} clauses are declared but the file has {read};"
                    " fetch the file again, or correct the number",
                )
        scale = self.notes.get("weight-scale", 1) if rescale else 1
        soft = [SoftClause(item.clause, item.weight / scale) for item in self.soft]
        try:
            return WeightedCNF(tuple(self.hard), tuple(self.soft if scale == 1 else soft), variables)
        except ProblemError as error:
            raise self.error(None, str(error)) from error

    def number(self, line: int, token: str) -> float:
        if INTEGER.fullmatch(token):
            value: float = int(token)
        elif DECIMAL.fullmatch(token):
            value = float(token)
        else:
            raise self.error(line, f"{token!r} is not a weight; give a number > 0 or 'h'")
        if not 0 < value < float("inf"):
            raise self.error(line, f"weight {token}: a weight must be a finite number > 0; correct it")
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
        raise FileFormatError(path, None, f"cannot be read ({error.strerror}); check the path") from error
    try:
        if path.suffix == ".gz":
            return gzip.decompress(data)
        if path.suffix == ".xz":
            return lzma.decompress(data)
    except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        raise FileFormatError(
            path, None, f"this is truncated or not {path.suffix} data ({error}); fetch it again"
        ) from error
    return data


def _file_weights(problem: WeightedCNF) -> tuple[int | None, list[int]]:
    """The scale, or None if all weights are integers, and the soft weights as integers."""
    exact = [Fraction(item.weight) for item in problem.soft]
    if all(weight.denominator == 1 for weight in exact):
        weights = [int(weight) for weight in exact]
        if sum(weights) >= SUM_LIMIT:
            raise ProblemError(
                "the weights sum to 2^63 or more, too much for WCNF; divide them", subject="soft"
            )
        return None, weights
    for power in range(MAX_SCALE_POWER, -1, -1):
        weights = [round(weight * 10**power) for weight in exact]
        if sum(weights) < SCALED_SUM_LIMIT:
            break
    else:
        raise ProblemError("the weights sum to 2^62 or more, too much for WCNF; divide them", subject="soft")
    if 0 in weights:
        index = weights.index(0)
        raise ProblemError(
            f"soft[{index}] has the weight {problem.soft[index].weight!r}, which WCNF's scale of"
            f" {10**power} rounds to 0; multiply all weights or drop the clause",
            subject=f"soft[{index}]",
        )
    return 10**power, weights


def _row(head: str | int, clause: Clause) -> str:
    return " ".join(map(str, (head, *clause, 0)))
