from __future__ import annotations

import itertools
import json
import random
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForSequenceClassification

from maieutic.errors import ContextLengthError, ModelError
from maieutic.nli.base import CONTRADICTION, ENTAILMENT, NEUTRAL, Pair
from maieutic.nli.local import TransformersVerifier, label_columns

REAL = Path(__file__).parents[2].parent / "shared" / "models" / "minilm-nli"
WORDS = ["the", "a", "sky", "is", "blue", "red", "not", "dog", "cat", "sleeps", "animal", "rests"]


def load(folder: Path, **options: Any) -> TransformersVerifier:
    settings = {"device": "cpu", "dtype": "float32"} | options
    return TransformersVerifier.load(str(folder), **settings)


def some_pairs(count: int, seed: int = 0) -> list[Pair]:
    rng = random.Random(seed)

    def text() -> str:
        return " ".join(rng.choices(WORDS, k=rng.randint(1, 12)))

    return [(text(), text()) for _ in range(count)]


def raw(verifier: TransformersVerifier, pairs: list[Pair]) -> np.ndarray[Any, Any]:
    """The model's own probabilities in its own label order, one pair at a time."""
    rows = []
    for pair in pairs:
        fields = verifier._tokenizer(*pair, return_tensors="pt")
        with torch.inference_mode():
            rows.append(verifier._model(**fields).logits.softmax(dim=-1)[0].numpy())
    return np.stack(rows)


def test_columns_are_contradiction_neutral_entailment(nli_folder: Path) -> None:
    verifier = load(nli_folder)
    pairs = some_pairs(30)
    scores = verifier.predict(pairs)
    assert scores.dtype == np.float32
    own = raw(verifier, pairs)  # the folder's order is entailment, neutral, contradiction
    np.testing.assert_allclose(scores, own[:, [2, 1, 0]], atol=1e-6)
    assert own.std(axis=0).min() > 0.01  # the random model does tell pairs apart


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_label_order_is_read_by_name(nli_folder: Path, tmp_path: Path, order: tuple[int, ...]) -> None:
    folder = shutil.copytree(nli_folder, tmp_path / "nli")
    names = ["contradiction", "neutral", "entailment"]
    labels = {str(index): names[column] for index, column in enumerate(order)}
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config["id2label"] = labels
    config["label2id"] = {name: int(index) for index, name in labels.items()}
    path.write_text(json.dumps(config))
    verifier = load(folder)
    pairs = some_pairs(5)
    expected = raw(verifier, pairs)[:, np.argsort(order)]
    np.testing.assert_allclose(verifier.predict(pairs), expected, atol=1e-6)


def test_two_labels_give_no_contradiction(binary_nli_folder: Path) -> None:
    verifier = load(binary_nli_folder)
    pairs = some_pairs(10)
    scores, own = verifier.predict(pairs), raw(verifier, pairs)
    assert not scores[:, CONTRADICTION].any()
    np.testing.assert_allclose(scores[:, ENTAILMENT], own[:, 0], atol=1e-6)
    np.testing.assert_allclose(scores[:, NEUTRAL], own[:, 1], atol=1e-6)


@pytest.mark.parametrize(
    "labels",
    [
        ["LABEL_0", "LABEL_1", "LABEL_2"],
        ["positive", "negative"],
        ["entailment", "contradiction"],
        ["entailment", "neutral", "entails"],
        ["entailment", "neutral", "contradiction", "off_topic"],
        ["entailment"],
    ],
)
def test_labels_other_than_those_of_nli_are_an_error(labels: list[str]) -> None:
    with pytest.raises(ModelError) as error:
        label_columns(dict(enumerate(labels)), "some-model")
    assert error.value.subject == "some-model"


@pytest.mark.parametrize(
    "labels", [["Contradictory", "NEITHER", "entails"], ["contradicts", "neutral", "Entailed"]]
)
def test_other_words_for_the_three_labels(labels: list[str]) -> None:
    assert label_columns(dict(enumerate(labels)), "model").tolist() == np.eye(3).tolist()


@pytest.mark.parametrize("word", ["not_entailment", "NOT ENTAILMENT", "non-entailment"])
def test_other_words_for_no_entailment(word: str) -> None:
    assert label_columns({0: word, 1: "entailment"}, "model").tolist() == [[0, 1, 0], [0, 0, 1]]


def test_scores_do_not_depend_on_the_batch(nli_folder: Path) -> None:
    pairs = some_pairs(60)
    together = load(nli_folder).predict(pairs)
    np.testing.assert_allclose(load(nli_folder, batch_tokens=1).predict(pairs), together, atol=1e-6)
    turned = load(nli_folder, batch_tokens=64).predict(pairs[::-1])
    np.testing.assert_allclose(turned[::-1], together, atol=1e-6)


def test_scores_do_not_depend_on_the_chunk(nli_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = some_pairs(50)
    expected = load(nli_folder).predict(pairs)
    monkeypatch.setattr("maieutic.nli.local.CHUNK", 7)
    np.testing.assert_allclose(load(nli_folder).predict(pairs), expected, atol=1e-6)


def test_each_distinct_pair_is_computed_once(nli_folder: Path) -> None:
    verifier = load(nli_folder)
    rows: list[int] = []
    verifier._model.register_forward_pre_hook(
        lambda _, __, fields: rows.append(len(fields["input_ids"])), with_kwargs=True
    )
    distinct = list(dict.fromkeys(some_pairs(20)))
    scores = verifier.predict(distinct * 3)
    assert sum(rows) == len(distinct)
    assert np.array_equal(scores, np.tile(scores[: len(distinct)], (3, 1)))


def test_no_pairs(nli_folder: Path) -> None:
    assert load(nli_folder).predict([]).shape == (0, 3)


def test_a_pair_beyond_the_window_is_an_error(nli_folder: Path) -> None:
    pairs = [*some_pairs(5), ("dog " * 30, "cat " * 30)]
    with pytest.raises(ContextLengthError) as error:
        load(nli_folder).predict(pairs)
    assert error.value.subject == str(nli_folder)


def test_a_language_model_is_not_a_verifier(llama_folder: Path) -> None:
    with pytest.raises(ModelError) as error:
        load(llama_folder)
    assert error.value.subject == str(llama_folder)


def test_a_classifier_of_something_else(nli_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(nli_folder, tmp_path / "stars")
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config["id2label"] = {"0": "one star", "1": "two stars", "2": "three stars"}
    path.write_text(json.dumps(config))
    with pytest.raises(ModelError) as error:
        load(folder)
    assert error.value.subject == str(folder)


def test_nothing_is_written_to_the_terminal(nli_folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    load(nli_folder).predict(some_pairs(5))
    assert capfd.readouterr() == ("", "")


real_weights = pytest.mark.skipif(not REAL.is_dir(), reason=f"no NLI weights at {REAL}")

PLAIN_PAIRS: list[tuple[str, str, int]] = [
    ("A dog is sleeping on the couch.", "An animal is asleep.", ENTAILMENT),
    ("All birds can fly.", "Some birds can fly.", ENTAILMENT),
    ("She bought a red car yesterday.", "She bought a car.", ENTAILMENT),
    ("The sky is blue.", "The sky is not blue.", CONTRADICTION),
    ("The shop is closed today.", "The shop is open today.", CONTRADICTION),
    ("Nobody came to the party.", "The party was full of people.", CONTRADICTION),
    ("I like tea.", "The train is late.", NEUTRAL),
    ("A man plays the guitar.", "The man is famous.", NEUTRAL),
]


@real_weights
def test_a_real_verifier_knows_plain_pairs() -> None:
    verifier = load(REAL)
    scores = verifier.predict([(premise, hypothesis) for premise, hypothesis, _ in PLAIN_PAIRS])
    assert scores.argmax(axis=1).tolist() == [label for *_, label in PLAIN_PAIRS]
    np.testing.assert_allclose(scores.sum(axis=1), 1.0, atol=1e-5)


@real_weights
def test_a_real_verifier_truncates_no_pair() -> None:
    with pytest.raises(ContextLengthError):
        load(REAL).predict([("the dog sleeps " * 120, "the cat sleeps " * 80)])


@real_weights
def test_bfloat16_seldom_changes_a_label() -> None:
    texts = [text for premise, hypothesis, _ in PLAIN_PAIRS for text in (premise, hypothesis)]
    pairs = list(itertools.permutations(texts, 2))
    full, half = load(REAL).predict(pairs), load(REAL, dtype="bfloat16").predict(pairs)
    assert half.dtype == np.float32
    assert (full.argmax(axis=1) == half.argmax(axis=1)).mean() > 0.97


def decoder_folder(llama_folder: Path, folder: Path, **fields: Any) -> Path:
    """A verifier on a decoder, whose tokenizer has no padding token and returns token_type_ids."""
    torch.manual_seed(0)
    labels = {0: "entailment", 1: "neutral", 2: "contradiction"}
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 4}
    config = LlamaConfig(vocab_size=320, id2label=labels, **sizes, initializer_range=0.3)
    LlamaForSequenceClassification(config).save_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(llama_folder)
    tokenizer.model_input_names = ["input_ids", "token_type_ids", "attention_mask"]
    tokenizer.save_pretrained(folder)
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))
    return folder


@pytest.mark.parametrize("pad", [-1, None, 320, 3])
def test_padding_of_a_decoder_changes_nothing(llama_folder: Path, tmp_path: Path, pad: int | None) -> None:
    verifier = load(decoder_folder(llama_folder, tmp_path / "nli", pad_token_id=pad))
    pairs = some_pairs(8)
    together = verifier.predict(pairs)
    alone = np.concatenate([verifier.predict([pair]) for pair in pairs])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(together.sum(axis=1), 1, atol=1e-5)


def test_weights_that_are_no_numbers_are_one_error(nli_folder: Path) -> None:
    verifier = load(nli_folder)
    with torch.no_grad():
        verifier._model.get_input_embeddings().weight.fill_(torch.nan)
    with pytest.raises(ModelError) as caught:
        verifier.predict(some_pairs(3))
    assert caught.value.subject == str(nli_folder)
