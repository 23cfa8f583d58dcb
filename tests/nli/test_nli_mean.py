"""Several verifiers as one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maieutic.errors import MaieuticError
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.models import verifier_parts
from maieutic.nli.base import Pair, Probabilities, Verifier
from maieutic.nli.calls import score_pairs
from maieutic.nli.lm import LanguageModelVerifier
from maieutic.nli.mean import MeanVerifier
from maieutic.prompts import load_prompts

PAIRS = [("Ice is cold.", "Ice is warm."), ("Ice is cold.", "Ice is frozen.")]


class Fixed:
    """Says the same of every pair."""

    def __init__(self, name: str, *row: float) -> None:
        self.name, self.row = name, row

    def predict(self, pairs: Sequence[Pair]) -> Probabilities:
        return np.array([self.row] * len(pairs), dtype=np.float32)


def test_the_mean_is_taken_of_each_probability() -> None:
    both = MeanVerifier((Fixed("a", 1, 0, 0), Fixed("b", 0, 0.5, 0.5)))
    assert both.name == "a+b"
    assert both.predict(PAIRS) == pytest.approx(np.array([[0.5, 0.25, 0.25]] * 2))


def test_usage_is_that_of_all_parts() -> None:
    lm = ScriptedLanguageModel(lambda prompt, index: "", lambda prompt, option: 0.2)
    own: Verifier = LanguageModelVerifier(lm, load_prompts("paper"))
    alone = score_pairs(own, PAIRS).usages
    assert score_pairs(MeanVerifier((own, Fixed("b", 0, 1, 0))), PAIRS).usages == alone
    twice = score_pairs(MeanVerifier((own, own)), PAIRS).usages
    assert twice == tuple(usage + usage for usage in alone)


def test_what_a_part_returns_is_checked() -> None:
    with pytest.raises(MaieuticError) as caught:
        MeanVerifier((Fixed("a", 1, 0, 0), Fixed("b", 1, 1, 1))).predict(PAIRS)
    assert caught.value.subject == "Fixed.predict"


@given(names=st.lists(st.text("abc/-", min_size=1), min_size=1, max_size=3))
def test_a_name_stands_for_what_is_between_its_plus_signs(names: list[str]) -> None:
    assert verifier_parts("+".join(names)) == names


def test_no_name_is_empty_and_an_existing_folder_is_one(tmp_path: Path) -> None:
    folder = tmp_path / "a+b"
    assert len(verifier_parts(str(folder))) == 2
    folder.mkdir()
    assert verifier_parts(str(folder)) == [str(folder)]
    assert verifier_parts("+") == ["+"]
