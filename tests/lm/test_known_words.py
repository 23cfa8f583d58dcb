"""Words that a language model has never met make its answer unsure, everywhere that answers are given."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from maieutic import Maieutic
from maieutic.benchmarks.methods.maieutic import MaieuticMethod
from maieutic.cache.language_model import CachedLanguageModel
from maieutic.cache.store import ResponseStore
from maieutic.inference import Joint
from maieutic.inference.assumptions import Assumption
from maieutic.lm.beliefs import BeliefReader, StatedBeliefs
from maieutic.lm.known_words import KNOWN_WORDS, known_words_of, unmet_words, words_in
from maieutic.models import load_models

KNOWN = frozenset({"penguin", "bird", "fly", "can", "wing", "run", "knife"})


@pytest.fixture(scope="module")
def agora() -> Maieutic:
    return Maieutic.load()


@pytest.mark.parametrize(
    ("text", "unmet"),
    [
        ("Can a penguin fly?", []),
        ("PENGUINS FLEW", []),
        ("All penguins really have two wings.", ["two"]),
        ("It is a fact that my penguin is running.", []),
        ("Knives can't fly.", []),
        ("Can a pengiun fly a zeppelin, or a pengiun?", ["pengiun", "zeppelin"]),
        ("Is a penguin 3 birds?", ["3"]),
        ("Können Pinguine fliegen?", ["können", "pinguine", "fliegen"]),
        ("", []),
    ],
)
def test_a_word_is_met_in_any_form_and_an_unmet_one_is_named_once(text: str, unmet: list[str]) -> None:
    assert unmet_words(KNOWN, text) == unmet


def test_a_folder_without_a_list_says_nothing_of_words(tmp_path: Path) -> None:
    assert words_in(tmp_path) is None
    (tmp_path / KNOWN_WORDS).write_text("a\npenguin\n")
    assert words_in(tmp_path) == frozenset({"a", "penguin"})


def test_a_model_behind_a_cache_or_a_reader_of_beliefs_knows_the_same_words(
    agora: Maieutic, tmp_path: Path
) -> None:
    known = known_words_of(agora.lm)
    assert known
    assert known_words_of(CachedLanguageModel(agora.lm, ResponseStore(tmp_path / "cache"))) == known
    assert known_words_of(BeliefReader(agora.lm, StatedBeliefs())) == known


@pytest.mark.parametrize(
    "question", ["Can a pengiun fly?", "can pengiuns fly", "A pengiun can fly.", "Is a pengiun a bird?"]
)
def test_what_the_model_never_met_is_not_answered(agora: Maieutic, question: str) -> None:
    answer = agora.ask(question)
    assert answer.unsure
    assert answer.p_true is not None
    (warning,) = answer.warnings
    assert "pengiun" in warning
    assert 'did you mean "penguin' in warning
    assert answer.warnings == tuple(json.loads(answer.to_json())["warnings"])
    assert "did you mean" in answer.to_html()


@pytest.mark.parametrize("question", ["Can a penguin fly?", "do penguins fly", "The penguins are birds."])
def test_what_the_model_has_met_has_no_warning(agora: Maieutic, question: str) -> None:
    answer = agora.ask(question)
    assert answer.warnings == ()
    assert not answer.unsure


def test_words_of_an_assumption_count(agora: Maieutic) -> None:
    method = replace(_joint(agora), assumptions=(Assumption("A1", "A penguin is a xyzzy.", True),))
    answer = Maieutic(agora.lm, agora.verifier, inference=method).ask("Can a penguin fly?")
    assert answer.unsure
    assert "xyzzy" in answer.warnings[0]


def _joint(agora: Maieutic) -> Joint:
    assert isinstance(agora.inference, Joint)
    return agora.inference


def test_a_benchmark_counts_it_as_unanswered_and_says_why() -> None:
    texts: Sequence[str] = ["A pengiun can fly.", "A penguin can fly."]
    unmet, met = MaieuticMethod().run(texts, load_models("agora", "agora"))
    assert unmet.answer is None
    assert "pengiun" in (unmet.problem or "")
    assert unmet.reasoning is not None
    assert unmet.reasoning.warnings
    assert met.answer is not None
