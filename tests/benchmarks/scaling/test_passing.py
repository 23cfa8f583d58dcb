"""Rates of runs: the first batches do not count; numbers of workers are checked before anything starts."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from maieutic.benchmarks.runs.folder import Written
from maieutic.benchmarks.scaling import workers
from maieutic.benchmarks.scaling.passing import passed
from maieutic.errors import InputError


def test_the_first_batches_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("maieutic.benchmarks.scaling.passing.time.perf_counter", lambda: clock[0])

    def batches() -> Iterator[list[Written]]:
        for place, seconds in enumerate((100.0, 50.0, 1.0, 3.0)):
            clock[0] += seconds
            yield [Written(f"{place}-{number}", True) for number in range(8)]

    seen: list[int] = []
    watched = passed(batches(), skip=2, look=seen.append)
    assert watched.questions == 32
    assert watched.per_second == pytest.approx(16 / 4)
    assert seen == [8, 16, 24, 32]


@pytest.mark.parametrize("counts", ["", "1,", "one", "2,2", "-1"])
def test_bad_numbers_of_workers_are_refused(counts: str) -> None:
    with pytest.raises(InputError) as error:
        workers.workers(questions=64, counts=counts, turns=1)
    assert error.value.subject == "--workers"


def test_too_few_questions_are_refused() -> None:
    with pytest.raises(InputError) as error:
        workers.workers(questions=32, counts="0", turns=1)
    assert error.value.subject == "--questions"


def test_a_run_without_ray_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    start = time.perf_counter()
    workers.workers(questions=64, counts="0", turns=1)
    seconds = time.perf_counter() - start
    row = capsys.readouterr().out.splitlines()[-1].split("|")
    assert row[1].strip() == "no Ray"
    assert float(row[2].replace(",", "")) >= 60 * 32 / seconds
    assert float(row[3]) == 1.0
