"""Inference on trees grown elsewhere: relate → solve → answer, with accuracy by kind of tree.

Launch:   maieutic replay TREES.jsonl.gz --nli FOLDER --inference joint --out DIR
Data:     one tree a line (:mod:`maieutic.tree`), "answer" being the gold answer.
Cost:     one verifier pass per ordered pair of propositions; about 36 pairs for a grown tree of six.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from maieutic.answer import Answer
from maieutic.config import JointConfig
from maieutic.errors import InputError
from maieutic.files.json_text import parse_json
from maieutic.inference.base import DEFAULT_SOLVER, Inference
from maieutic.nli.base import Verifier
from maieutic.pipeline import conclude
from maieutic.solvers import SOLVERS, Solver
from maieutic.tree import Tree

__all__ = ["KINDS", "Record", "ReferenceAnswer", "Tally", "replay", "tally"]

KINDS = ("one-node", "grown", "empty")
BATCH_TREES = 64  # trees whose pairs the verifier gets in one call


@dataclass(frozen=True, slots=True)
class Record:
    """The outcome of one tree, as it is written to ``records.jsonl``.

    Attributes:
        line: 1-based line of the tree in its file.
        gold: the gold answer, None where the file has none (then the tree is unscored).
        margin: see :class:`maieutic.inference.base.Verdict`; ``p_true`` and ``unsure``: see
            :class:`maieutic.answer.Answer`.
    """

    line: int
    question: str
    kind: str
    gold: bool | None
    answer: bool
    margin: float
    margin_unit: str
    p_true: float | None = None
    unsure: bool = False

    @property
    def correct(self) -> bool | None:
        """Whether the answer is the gold one; None where there is none, and for an unsure answer."""
        return None if self.gold is None or self.unsure else self.answer == self.gold


@dataclass(frozen=True, slots=True)
class Tally:
    """How many trees of a kind there are, were scored and answered rightly."""

    kind: str
    trees: int
    scored: int
    correct: int

    @property
    def accuracy(self) -> float | None:
        """Share of scored trees answered rightly, in [0, 1]; None when none was scored."""
        return self.correct / self.scored if self.scored else None


@dataclass(frozen=True, slots=True)
class ReferenceAnswer:
    """What another implementation answered on the tree of line ``row`` + 1."""

    row: int
    vote: bool

    @classmethod
    def from_json(cls, text: str | bytes) -> ReferenceAnswer:
        """Read one line; fields other than ``row`` and ``vote`` are ignored.

        Raises:
            InputError: one of the two is missing or of another type.
        """
        reference = parse_json(cls, text)
        if reference.row < 0:
            raise InputError(f"row: must be ≥ 0, not {reference.row}")
        return reference


def replay(
    trees: Iterable[tuple[int, Tree]],
    verifier: Verifier,
    inference: Inference,
    solver: Solver | None = None,
    *,
    joint: JointConfig = JointConfig(),  # noqa: B008 - frozen
    abstain_below: float = 0.0,
    batch_trees: int = BATCH_TREES,
) -> Iterator[tuple[Record, Answer]]:
    """Answer (line, tree) pairs in their order, a batch at a time; nothing is kept.

    Args:
        joint, abstain_below: see :class:`maieutic.pipeline.Maieutic`.

    Raises:
        ContextLengthError: a pair of propositions does not fit the verifier's window.
        MaieuticError: the solver failed.
    """
    solver = solver or SOLVERS[DEFAULT_SOLVER[inference]]()
    source = iter(trees)
    while batch := list(islice(source, batch_trees)):
        answers = conclude(
            [tree for _, tree in batch],
            verifier,
            solver,
            inference,
            joint=joint,
            abstain_below=abstain_below,
        )
        for (line, tree), answer in zip(batch, answers, strict=True):
            record = Record(
                line=line,
                question=tree.question,
                kind=tree.kind,
                gold=tree.answer,
                answer=answer.answer,
                margin=answer.margin,
                margin_unit=answer.margin_unit,
                p_true=answer.p_true,
                unsure=answer.unsure,
            )
            yield record, answer


def tally(records: Sequence[Record]) -> tuple[Tally, ...]:
    """Counts for each kind of tree, then "all"."""
    rows = []
    for kind in (*KINDS, "all"):
        chosen = [record for record in records if kind in (record.kind, "all")]
        correct = [record.correct for record in chosen if record.correct is not None]
        rows.append(Tally(kind, len(chosen), len(correct), sum(correct)))
    return tuple(rows)
