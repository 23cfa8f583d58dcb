"""Comparison of runs at the questions that all of them have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from maieutic.benchmarks.analysis.intervals import accuracy_interval, difference_interval, explained
from maieutic.benchmarks.analysis.metrics import Metrics, measure
from maieutic.benchmarks.analysis.seeds import SeedSpread, over_seeds
from maieutic.benchmarks.analysis.statistics import Interval, holm, mcnemar
from maieutic.benchmarks.runs.records import Record
from maieutic.errors import InputError

if TYPE_CHECKING:
    from maieutic.benchmarks.runs.folder import Run

__all__ = ["ComparedRun", "Comparison", "Difference", "compare", "labels", "matched"]

_DISTINCTIVE = ("lm", "nli", "prompts", "seed", "trees", "limit", "dtype")  # fields of a configuration
_SHARED = ("text", "gold", "pair")  # fields of a record that must be equal in all runs


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """One run.

    Attributes:
        label: the run's name, unique in the comparison.
        interval: 95 % interval of the accuracy over all questions.
        left_out: its questions that another run has no record of.
    """

    label: str
    metrics: Metrics
    interval: Interval
    left_out: int


@dataclass(frozen=True, slots=True)
class Difference:
    """One run's accuracy minus another's, on the same questions.

    Attributes:
        difference: in [-1, 1]; ``interval`` its 95 % interval.
        gained: questions that only ``run`` answers correctly; ``lost`` those that only ``against`` does.
        p: of McNemar's exact test; ``p_holm`` corrected for all the tests of the comparison.
    """

    run: str
    against: str
    difference: float
    interval: Interval
    gained: int
    lost: int
    p: float
    p_holm: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs at the questions that all of them have.

    Attributes:
        questions: their number.
        intervals: how intervals are made, in a clause; see :mod:`maieutic.benchmarks.analysis.intervals`.
        seeds: runs that differ in their seed alone, together, each at its own questions.
        baseline: the label of the run that the others are tested against; None for each with each.
    """

    dataset: str
    split: str
    questions: int
    seed: int
    intervals: str
    baseline: str | None
    rows: tuple[ComparedRun, ...]
    differences: tuple[Difference, ...]
    seeds: tuple[SeedSpread, ...]


def compare(runs: Sequence[Run], *, baseline: str | Path | None = None, seed: int = 0) -> Comparison:
    """Compare runs of one data set; each run is tested against those before it.

    Args:
        baseline: a run's label, name or folder, to test the others against this one only.
        seed: of the bootstrap, for data with twins.

    Raises:
        InputError: the runs are of different data, have no question in common, or disagree on one; or
            there is no such baseline. ``subject`` is "runs", a run's folder, a record's field or "baseline".
    """
    names = labels(runs)
    runs = [_graded(run) for run in runs]
    same = matched(runs)
    reference = None if baseline is None else _place(runs, names, baseline)
    groups = [record.pair for record in same[0].records]
    right = [[record.right for record in run.records] for run in same]
    rows = [
        ComparedRun(
            name,
            measure(run.records),
            accuracy_interval(hits, groups, seed),
            len(whole.records) - len(groups),
        )
        for name, run, hits, whole in zip(names, same, right, runs, strict=True)
    ]
    differences = [
        _difference((names[b], right[b]), (names[a], right[a]), groups, seed)
        for a, b in _tests(len(runs), reference)
    ]
    corrected = holm([difference.p for difference in differences])
    return Comparison(
        dataset=runs[0].config.dataset,
        split=runs[0].config.split,
        questions=len(groups),
        seed=seed,
        intervals=explained(groups, seed),
        baseline=None if reference is None else names[reference],
        rows=tuple(rows),
        differences=tuple(replace(d, p_holm=p) for d, p in zip(differences, corrected, strict=True)),
        seeds=over_seeds(runs, names),
    )


def _tests(runs: int, reference: int | None) -> list[tuple[int, int]]:
    """The places of the two runs of each test, the reference first."""
    if reference is None:
        return list(combinations(range(runs), 2))
    return [(reference, place) for place in range(runs) if place != reference]


def _difference(
    run: tuple[str, list[bool]], against: tuple[str, list[bool]], groups: list[str], seed: int
) -> Difference:
    (name, one), (other_name, other) = run, against
    gains = [a - b for a, b in zip(one, other, strict=True)]
    p = mcnemar(one, other)
    return Difference(
        run=name,
        against=other_name,
        difference=sum(gains) / len(gains),
        interval=difference_interval(one, other, groups, seed),
        gained=gains.count(1),
        lost=gains.count(-1),
        p=p,
        p_holm=p,
    )


def matched(runs: Sequence[Run]) -> list[Run]:
    """The runs, each with the records of the questions that all runs have, in the first run's order.

    Questions without a gold answer are left out.

    Raises:
        InputError: as :func:`compare`.
    """
    _check_data(runs)
    runs = [_graded(run) for run in runs]
    by_id = [{record.id: record for record in run.records} for run in runs]
    for run, records in zip(runs, by_id, strict=True):
        if len(records) < len(run.records):
            problem = f"{run.folder}: a question has two records; remove one of them"
            raise InputError(problem, subject=str(run.folder))
    _check_questions(runs, by_id)
    common = [record.id for record in runs[0].records if all(record.id in records for records in by_id)]
    if not common:
        raise InputError(
            "no question with a gold answer is in all runs; compare runs with the same --seed and --limit",
            subject="runs",
        )
    return [
        replace(run, records=tuple(records[id_] for id_ in common))
        for run, records in zip(runs, by_id, strict=True)
    ]


def _graded(run: Run) -> Run:
    """The run at the questions with a gold answer."""
    return replace(run, records=tuple(record for record in run.records if record.gold is not None))


def _check_data(runs: Sequence[Run]) -> None:
    if not runs:
        raise InputError("there is no run to compare; give the folder of at least one", subject="runs")
    first = runs[0]
    folders: set[Path] = set()
    for run in runs:
        if (run.config.dataset, run.config.split) != (first.config.dataset, first.config.split):
            raise InputError(
                f"{first.folder} is of {first.config.dataset} ({first.config.split}), {run.folder} of "
                f"{run.config.dataset} ({run.config.split}); compare runs of one data set and split",
                subject=str(run.folder),
            )
        if (folder := run.folder.resolve()) in folders:
            raise InputError(f"{run.folder} is given twice; give it once", subject=str(run.folder))
        folders.add(folder)


def _check_questions(runs: Sequence[Run], by_id: Sequence[Mapping[str, Record]]) -> None:
    """Check that a question is the same in all runs."""
    if len(runs) == 1:
        return
    seen: dict[str, tuple[Record, Run]] = {}
    for run, records in zip(runs, by_id, strict=True):
        for id_, record in records.items():
            known, where = seen.setdefault(id_, (record, run))
            for field in _SHARED:
                if getattr(known, field) != getattr(record, field):
                    raise InputError(
                        f"question {id_!r} has another {field} in {run.folder} than in {where.folder}; "
                        "compare runs on the same files",
                        subject=field,
                    )


def labels(runs: Sequence[Run]) -> list[str]:
    """A unique name for each run: its own, followed by what distinguishes it from others of that name.

    These are fields of the configuration, such as the models and the seed, or else the folder's name.
    """
    names = [run.name for run in runs]
    for field in _DISTINCTIVE:
        values = [str(getattr(run.config, field, "")) for run in runs]
        for same in _namesakes(names):
            if len({values[k] for k in same}) > 1:
                for k in same:
                    names[k] += f", {field} {values[k] or 'none'}"
    for same in _namesakes(names):
        for k in same:
            names[k] += f", {runs[k].folder.name}"
    for same in _namesakes(names):
        for number, k in enumerate(same, start=1):
            names[k] += f" #{number}"
    return names


def _namesakes(names: Sequence[str]) -> list[list[int]]:
    """The places of the names that occur more than once, by name."""
    places: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        places.setdefault(name, []).append(place)
    return [same for same in places.values() if len(same) > 1]


def _place(runs: Sequence[Run], names: Sequence[str], baseline: str | Path) -> int:
    """The place of the baseline, given by label, folder or name."""
    wanted = str(baseline)
    folder = Path(baseline).resolve()
    places = (
        [k for k, name in enumerate(names) if name == wanted]
        or [k for k, run in enumerate(runs) if run.folder.resolve() == folder]
        or [k for k, run in enumerate(runs) if run.name == wanted]
    )
    if len(places) != 1:
        problem = "names several runs" if places else "names none of the runs"
        raise InputError(f"baseline {wanted!r} {problem}; use one of {'; '.join(names)}", subject="baseline")
    return places[0]
