"""The cached verifier: it scores as the verifier does, and asks it for what is missing and no more."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maieutic.cache.store import ResponseStore, Tally
from maieutic.cache.verifier import CachedVerifier
from maieutic.errors import InputError
from maieutic.nli import load_verifier
from maieutic.nli.base import Pair
from maieutic.nli.scripted import ScriptedVerifier

LABELS = ["entailment", "contradiction", "neutral"]
PAIRS = st.lists(
    st.tuples(st.sampled_from(["a", "b", "\ud800"]), st.sampled_from(["a", "b", ""])), max_size=6
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ResponseStore:
    return ResponseStore(tmp_path_factory.mktemp("scores") / "responses.sqlite3")


def scripted(fingerprint: str) -> ScriptedVerifier:
    return ScriptedVerifier(
        lambda premise, hypothesis: LABELS[(len(premise) + 2 * ord(hypothesis[:1] or "c")) % 3],
        confidence=1 / 7 + len(fingerprint) / 100,
        fingerprint=fingerprint,
    )


@given(st.lists(PAIRS, max_size=5))
def test_it_scores_as_the_verifier_does_and_each_pair_once(
    store: ResponseStore, requests: list[list[Pair]]
) -> None:
    verifier = scripted(uuid4().hex)  # examples share the file, and none has seen this one
    cached, plain = CachedVerifier(verifier, store), scripted(verifier.fingerprint)
    for pairs in requests:
        before = store.tally
        scores = cached.predict(pairs)
        assert (str(scores.dtype), scores.shape) == ("float32", (len(pairs), 3))
        assert scores.tobytes() == plain.predict(pairs).tobytes()
        assert (store.tally - before).requests == len(pairs)
    assert len(verifier.pairs) == len(set(verifier.pairs)) == len({pair for row in requests for pair in row})


def test_the_order_of_a_pair_counts_and_so_does_the_verifier(store: ResponseStore) -> None:
    one, other = scripted(uuid4().hex), scripted(uuid4().hex)
    CachedVerifier(one, store).predict([("ab", "c"), ("c", "ab"), ("a", "bc"), ("ab", "c")])
    assert one.pairs == [("ab", "c"), ("c", "ab"), ("a", "bc")]
    before = store.tally
    CachedVerifier(one, store).predict([("ab", "c"), ("c", "a")])
    assert store.tally - before == Tally(2, 1)
    CachedVerifier(other, store).predict([("ab", "c")])
    assert other.pairs == [("ab", "c")]


def test_a_verifier_without_a_fingerprint_is_rejected(store: ResponseStore) -> None:
    with pytest.raises(InputError) as error:
        CachedVerifier(ScriptedVerifier(lambda *_: "neutral"), store)
    assert error.value.exit_code == 2


def test_a_verifier_of_this_process_is_not_needed_the_second_time(
    store: ResponseStore, nli_folder: Path
) -> None:
    plain = load_verifier(str(nli_folder), device="cpu", dtype="float32")
    pairs = [("the sky is blue", "the sky is red"), ("a dog sleeps", "an animal rests")]
    scores = CachedVerifier(plain, store).predict(pairs)
    assert np.array_equal(scores, plain.predict(pairs))
    fingerprint = getattr(plain, "fingerprint", "")
    warm = CachedVerifier(ScriptedVerifier(lambda *_: "never asked", fingerprint=fingerprint), store)
    assert np.array_equal(warm.predict(pairs), scores)
