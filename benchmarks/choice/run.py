"""A run over questions with options: one record a line, flushed as it is made; the same command continues."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from maieutic.benchmarks.analysis.intervals import accuracy_interval
from maieutic.benchmarks.analysis.statistics import Interval
from maieutic.benchmarks.choice.items import ChoiceItem
from maieutic.benchmarks.choice.methods import ChoiceMethod, ChoiceOutcome
from maieutic.errors import InputError, MaieuticError, ServerError
from maieutic.files.json_lines import read_records
from maieutic.files.json_text import dump_json, parse_json
from maieutic.files.writing import remove_unfinished_line
from maieutic.models import LoadedModels
from maieutic.usage import Usage

__all__ = ["ChoiceRecord", "ChoiceSummary", "answer_choices", "read_choice_records", "summary_of"]


@dataclass(frozen=True)
class ChoiceRecord:
    """The outcome of one question; see :class:`ChoiceItem` and :class:`ChoiceOutcome`.

    Attributes:
        method: with its settings, as it prints itself; ``models``: names of language model and verifier.
    """

    id: str
    gold: int | None
    method: str
    models: str
    choice: int | None
    p: tuple[float, ...] | None
    others: Mapping[str, int]
    usage: Usage
    seconds: float
    problem: str | None = None

    @property
    def right(self) -> bool:
        """Whether the choice is the gold one."""
        return self.choice is not None and self.choice == self.gold


@dataclass(frozen=True, slots=True)
class ChoiceSummary:
    """Accuracies of a run.

    Attributes:
        accuracy: name of the score (acc, acc_norm, …) → share of right choices in [0, 1]; a question without
            a choice counts as wrong.
        interval: 95 % interval of acc (Wilson's; see :mod:`maieutic.benchmarks.analysis.intervals`).
        questions: with a gold answer; ``unscored`` of them have no choice.
    """

    questions: int
    unscored: int
    accuracy: Mapping[str, float]
    interval: Interval
    usage: Usage


def answer_choices(
    items: Sequence[ChoiceItem], method: ChoiceMethod, models: LoadedModels, file: Path
) -> Iterator[ChoiceRecord]:
    """Answer the questions without a record and append a record of each; a failing one is recorded as such.

    Raises:
        InputError: the file has records of another method or of other models.
        ServerError: a model's server failed.
    """
    name, makers = repr(method), f"{models.lm.name} {models.verifier.name}"
    known = read_choice_records(file) if file.exists() else []
    if known and (known[0].method, known[0].models) != (name, makers):
        problem = f"{file} has records of {known[0].method} by {known[0].models}"
        raise InputError(f"{problem}; name another file", subject=str(file))
    done = {record.id for record in known}
    with file.open("a", encoding="utf-8") as out:
        for item in items:
            if item.id in done:
                continue
            try:
                outcome = method.run(item, models)
            except ServerError:
                raise
            except MaieuticError as error:
                outcome = ChoiceOutcome(None, problem=str(error))
            fields = {key: getattr(outcome, key) for key in outcome.__dataclass_fields__}
            record = ChoiceRecord(item.id, item.gold, name, makers, **fields)
            out.write(dump_json(record) + "\n")
            out.flush()
            yield record


def read_choice_records(file: Path) -> list[ChoiceRecord]:
    """The records of a file, without a line that was cut off.

    Raises:
        InputError: a line is no record.
    """
    remove_unfinished_line(file)
    return [record for _, record in read_records(file, partial(parse_json, ChoiceRecord))]


def summary_of(records: Sequence[ChoiceRecord]) -> ChoiceSummary:
    """The accuracies of records with a gold answer.

    Raises:
        InputError: none has one.
    """
    known = [record for record in records if record.gold is not None]
    if not known:
        raise InputError("no question has a gold answer; give a file with answers", subject="data")
    names = ["acc", *dict.fromkeys(name for record in known for name in record.others)]
    accuracy = {}
    for name in names:
        chosen = [record.choice if name == "acc" else record.others.get(name) for record in known]
        hits = [choice == record.gold for choice, record in zip(chosen, known, strict=True)]
        accuracy[name] = sum(hits) / len(known)
    interval = accuracy_interval([record.right for record in known], [""] * len(known), seed=0)
    usage = sum((record.usage for record in known), Usage())
    return ChoiceSummary(len(known), sum(r.choice is None for r in known), accuracy, interval, usage)
