"""The questions that a report shows in full: all of them, or a sample of a large run.

Tables and most plots count every question. The list of questions, their trees, the curves of growth and the
counts of known explanations need records in full, of which a page can hold some thousands.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from maieutic.benchmarks.analysis.comparison import matched
from maieutic.benchmarks.runs.brief import read_places
from maieutic.benchmarks.runs.folder import Run

__all__ = ["LARGEST", "SAMPLE", "in_full"]

LARGEST = 20_000  # questions of a page that shows all of them
SAMPLE = 2_000  # questions that a page of a larger run shows


def in_full(runs: Sequence[Run], seed: int) -> list[Run]:
    """The runs with full records of the questions that all of them have, or of a sample of these.

    Args:
        runs: with brief records.
        seed: of the sample.

    Raises:
        InputError: as :func:`maieutic.benchmarks.analysis.comparison.compare`.
        FileFormatError: a record is not valid.
    """
    common = [record.id for record in matched(runs)[0].records]
    if len(common) > LARGEST:
        kept = set(random.Random(seed).sample(range(len(common)), SAMPLE))  # noqa: S311 - no secret
        common = [one for place, one in enumerate(common) if place in kept]
    chosen = set(common)
    return [
        read_places(run, [place for place, record in enumerate(run.records) if record.id in chosen])
        for run in runs
    ]
