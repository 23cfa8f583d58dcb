"""The priors of a model's judgements: what they are, what they change, and when they are asked for."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic import ElicitConfig, Joint, Maieutic, Vote
from maieutic.cache.language_model import CachedLanguageModel
from maieutic.cache.store import ResponseStore
from maieutic.config import REFERENCE
from maieutic.elicit.probing import estimate_priors, probes
from maieutic.inference.weights import DEFAULT_WEIGHTS
from maieutic.lm.base import Prompt
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.models import LoadedModels
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.priors import Priors
from maieutic.prompts import load_prompts
from maieutic.sentences import keeps_words, negations
from maieutic.text import same_text

PAPER = load_prompts("paper")
ODDS = st.floats(-2.5, 2.5)


def sigmoid(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))


def biased(priors: Priors, facts: dict[str, float] | None = None) -> ScriptedLanguageModel:
    """Finds everything true with the log-odds of its priors, plus what it knows of some statements."""

    def probability(prompt: Prompt, option: str) -> float:
        said = str(prompt.query)
        odds = priors.negation if " not " in said or "cannot" in said else priors.statement
        if prompt.opening != PAPER.direct("X.").opening:
            odds = priors.chain
        odds += next((value for text, value in (facts or {}).items() if text in said), 0.0)
        return sigmoid(odds) if option == PAPER.answers[0] else 1.0 - sigmoid(odds)

    def reply(prompt: Prompt, index: int) -> str:
        return " Nobody knows. Therefore, the statement is true."

    return ScriptedLanguageModel(reply, probability, fingerprint=f"biased {priors}")


def loaded(lm: ScriptedLanguageModel) -> LoadedModels:
    return LoadedModels(lm, ScriptedVerifier(lambda *pair: "neutral", fingerprint="neutral"), PAPER)


def test_every_probe_comes_with_a_negation_of_its_words() -> None:
    assert len(probes()) >= 12
    for statement, negation in probes():
        assert keeps_words(negation, statement)
        assert any(same_text(negation, candidate) for candidate in negations(statement))


@settings(deadline=None, max_examples=25)
@given(priors=st.builds(Priors, ODDS, ODDS, ODDS))
def test_the_priors_of_a_model_that_judges_nothing_but_by_them_are_found(priors: Priors) -> None:
    found = estimate_priors(biased(priors), PAPER, ElicitConfig())
    for name in ("statement", "negation", "chain"):
        assert getattr(found, name) == pytest.approx(getattr(priors, name), abs=1e-9)


def test_a_judgement_that_the_model_does_not_give_says_nothing_of_its_priors() -> None:
    silent = ScriptedLanguageModel(lambda prompt, index: " …", lambda prompt, option: 0.1)
    assert estimate_priors(silent, PAPER, ElicitConfig()) == Priors(0.0, 0.0, 0.0)
    assert silent.sample_calls == []  # nor would it after a chain of thought


def test_a_model_that_never_doubts_has_finite_priors() -> None:
    sure = ScriptedLanguageModel(
        lambda prompt, index: " Yes. Therefore, the statement is true.",
        lambda prompt, option: float(option == PAPER.answers[0]),
    )
    found = estimate_priors(sure, PAPER, ElicitConfig())
    assert 0.0 < found.statement < math.inf
    assert found == replace(found, negation=found.statement, chain=found.statement)


def test_without_chains_no_text_is_drawn_for_priors() -> None:
    lm = biased(Priors(1.0, 1.0, 1.0))
    assert estimate_priors(lm, PAPER, ElicitConfig(chain=False)).chain == 0.0
    assert lm.sample_calls == []


@settings(deadline=None, max_examples=25)
@given(priors=st.builds(Priors, ODDS, ODDS, ODDS))
def test_a_statement_that_the_model_knows_nothing_of_gets_even_odds_whatever_the_priors(
    priors: Priors,
) -> None:
    models, config = loaded(biased(priors)), ElicitConfig(depth=0)
    joint = models.suited(Joint(), config)
    answer = Maieutic(models.lm, models.verifier, elicit=config, inference=joint).ask("Ice is cold.")
    assert answer.p_true == pytest.approx(0.5, abs=1e-9)
    assert answer.tree.root.p_true == pytest.approx(sigmoid(priors.statement))  # the tree keeps what was read


def test_known_weights_another_inference_and_the_reference_ask_for_no_priors() -> None:
    lm = biased(Priors(1.0, 1.0, 1.0))
    models = loaded(lm)
    own = Joint(replace(DEFAULT_WEIGHTS, root=2.0))
    assert models.suited(own, ElicitConfig()) == own
    assert models.suited(Vote(), ElicitConfig()) == Vote()
    without = models.suited(Joint(), REFERENCE)
    assert isinstance(without, Joint)
    assert without.weights == DEFAULT_WEIGHTS
    assert (lm.choose_calls, lm.sample_calls) == ([], [])


@settings(deadline=None, max_examples=5)
@given(priors=st.builds(Priors, ODDS, ODDS, ODDS))
def test_a_pipeline_of_own_models_knows_their_priors(priors: Priors) -> None:
    models = loaded(biased(priors))
    inference = Maieutic.of(models).inference
    assert inference == models.suited(Joint(), ElicitConfig())
    assert isinstance(inference, Joint)
    assert inference.weights is not None
    assert inference.weights.prior_chain == pytest.approx(priors.chain, abs=1e-9)


def test_priors_are_estimated_once_per_model_and_kept_in_the_response_cache() -> None:
    lm = biased(Priors(0.5, -0.5, 1.0))
    first = loaded(lm).priors(ElicitConfig())
    asked = len(lm.choose_calls), len(lm.sample_calls)
    assert asked > (0, 0)
    assert loaded(lm).priors(ElicitConfig()) == first
    cached = LoadedModels(
        CachedLanguageModel(lm, ResponseStore()), ScriptedVerifier(lambda *_: "neutral"), PAPER
    )
    assert cached.priors(ElicitConfig()) == first
    assert (len(lm.choose_calls), len(lm.sample_calls)) == asked
