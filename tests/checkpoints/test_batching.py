from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maieutic.checkpoints.batching import batches_by_length, padded
from maieutic.errors import InputError

LENGTHS = st.lists(st.integers(0, 50), max_size=60)


@given(LENGTHS, st.integers(1, 200))
def test_every_sequence_is_in_one_batch(lengths: list[int], budget: int) -> None:
    batches = batches_by_length(lengths, budget)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))


@given(LENGTHS, st.integers(1, 200))
def test_a_batch_of_several_rows_keeps_to_the_budget(lengths: list[int], budget: int) -> None:
    for batch in batches_by_length(lengths, budget):
        longest = max(lengths[index] for index in batch)
        assert len(batch) == 1 or len(batch) * longest <= budget


@given(LENGTHS, st.integers(1, 200))
def test_batches_go_from_long_to_short(lengths: list[int], budget: int) -> None:
    order = [lengths[index] for batch in batches_by_length(lengths, budget) for index in batch]
    assert order == sorted(lengths, reverse=True)


@given(LENGTHS, st.integers(1, 200))
def test_no_batch_could_take_the_next_row(lengths: list[int], budget: int) -> None:
    batches = batches_by_length(lengths, budget)
    for batch in batches[:-1]:
        assert (len(batch) + 1) * lengths[batch[0]] > budget


def test_a_budget_of_nothing_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        batches_by_length([3], 0)
    assert caught.value.subject == "token_budget"


@given(st.lists(st.lists(st.integers(1, 9), max_size=8), min_size=1, max_size=8))
def test_padding_keeps_every_row_at_its_edge(rows: list[list[int]]) -> None:
    width = max(map(len, rows))
    left, right = padded(rows, 0, "left"), padded(rows, 0, "right")
    assert left.shape == right.shape == (len(rows), width)
    for row, left_line, right_line in zip(rows, left, right, strict=True):
        gap = [0] * (width - len(row))
        assert left_line.tolist() == [*gap, *row]
        assert right_line.tolist() == [*row, *gap]
    assert left.dtype == np.int64
