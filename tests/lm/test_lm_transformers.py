from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from maieutic.errors import ContextLengthError, InputError, ModelError
from maieutic.lm.base import Prompt, SamplingParams, Shot
from maieutic.lm.local.decoding import sample_uniforms
from maieutic.lm.local.model import TransformersLM


def text_prompt(query: str, opening: str = "A:") -> Prompt:
    return Prompt("text", "", (), query, opening)


PROMPTS = [
    text_prompt("Q: The sky is blue?"),
    text_prompt("Q: Ice?"),
    text_prompt("Q: A statement that is a good deal longer than it is deep?"),
    text_prompt("x", ""),
]
OPTIONS = [" true", " false", " neutral", " not at all"]  # of one token and of several


def load(folder: Path, **options: Any) -> TransformersLM:
    return TransformersLM.load(str(folder), device="cpu", dtype="float32", **options)


def draw(lm: TransformersLM, prompts: list[Prompt], n: int = 3, **changes: Any) -> list[list[str]]:
    settings: dict[str, Any] = {"max_new_tokens": 24, "temperature": 1.0, "top_p": 1.0, "seed": 7} | changes
    return [[one.text for one in row] for row in lm.sample(prompts, n, SamplingParams(**settings))]


class ReferenceDecoder:
    """The definition, in slow motion: one row, no padding, no cache, the model's raw forward."""

    def __init__(self, lm: TransformersLM) -> None:
        self.model, self.tokenizer = lm._model, lm._vocabulary._tokenizer

    def log_probabilities(self, tokens: list[int]) -> torch.Tensor:
        with torch.inference_mode():
            logits: torch.Tensor = self.model(input_ids=torch.tensor([tokens])).logits[0]
        return logits.double().log_softmax(dim=-1)

    def continuation(
        self, text: str, steps: int, pick: Callable[[int, torch.Tensor], int]
    ) -> tuple[str, bool]:
        """The text that ``pick`` draws, and whether a newline or the end stopped it."""
        tokens = self.tokenizer(text)["input_ids"]
        new: list[int] = []
        for step in range(steps):
            token = pick(step, self.log_probabilities([*tokens, *new])[-1])
            if token == self.tokenizer.eos_token_id:
                return self.first_line(new), True
            new.append(token)
            words = self.tokenizer.decode(new, skip_special_tokens=True).lstrip()
            if "\n" in self.tokenizer.decode([token]) and "\n" in words:
                return self.first_line(new), True
        return self.first_line(new), False

    def first_line(self, new: list[int]) -> str:
        lines: list[str] = self.tokenizer.decode(new, skip_special_tokens=True).split("\n")
        return next((line for line in lines if line.strip()), lines[0])

    def choice(self, text: str, option: str) -> float:
        """P(option | text) where no token spans the two."""
        before, both = self.tokenizer(text)["input_ids"], self.tokenizer(text + option)["input_ids"]
        assert both[: len(before)] == before
        logs = self.log_probabilities(both)
        return float(np.exp(sum(float(logs[i - 1, both[i]]) for i in range(len(before), len(both)))))


def test_choose_is_the_product_of_the_tokens_probabilities(lm_folder: Path) -> None:
    lm = load(lm_folder)
    oracle = ReferenceDecoder(lm)
    expected = [[oracle.choice(p.text(), option) for option in OPTIONS] for p in PROMPTS]
    chosen = lm.choose(PROMPTS, OPTIONS).probabilities
    assert chosen.dtype == np.float64
    np.testing.assert_allclose(chosen, expected, rtol=2e-4)


def test_choose_does_not_depend_on_the_batch(lm_folder: Path) -> None:
    together, alone = load(lm_folder), load(lm_folder, batch_tokens=1)
    expected = np.concatenate([alone.choose([prompt], OPTIONS).probabilities for prompt in PROMPTS])
    np.testing.assert_allclose(together.choose(PROMPTS, OPTIONS).probabilities, expected, rtol=2e-4)
    turned = together.choose(PROMPTS[::-1], OPTIONS[::-1]).probabilities
    np.testing.assert_allclose(turned[::-1, ::-1], expected, rtol=2e-4)


def test_options_that_share_their_first_token(llama_folder: Path) -> None:
    lm = load(llama_folder)
    oracle = ReferenceDecoder(lm)
    options = [" not", " not at all", " not at noon"]
    expected = [oracle.choice(PROMPTS[0].text(), option) for option in options]
    np.testing.assert_allclose(lm.choose(PROMPTS[:1], options).probabilities[0], expected, rtol=2e-4)


def test_an_option_that_merges_with_the_prompt_is_scored_from_the_seam(llama_folder: Path) -> None:
    lm = load(llama_folder)
    oracle = ReferenceDecoder(lm)
    prompt = text_prompt("Q", "A: tr")  # "A: true" has the token " true", the prompt has not
    before = oracle.tokenizer(prompt.text())["input_ids"]
    both = oracle.tokenizer(prompt.text() + "ue")["input_ids"]
    shared = next(i for i, (a, b) in enumerate(zip(before, both, strict=False)) if a != b)
    logs = oracle.log_probabilities(both)
    expected = np.exp(sum(float(logs[i - 1, both[i]]) for i in range(shared, len(both))))
    np.testing.assert_allclose(lm.choose([prompt], ["ue"]).probabilities, [[expected]], rtol=2e-4)


def test_options_of_one_token_cost_one_row_per_distinct_prompt(
    llama_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lm = load(llama_folder)
    rows: list[int] = []
    forward = lm._decoder.log_probabilities

    def counted(batch: list[tuple[int, ...]], width: int, prefix: Any) -> torch.Tensor:
        rows.append(len(batch))
        return forward(batch, width, prefix)

    monkeypatch.setattr(lm._decoder, "log_probabilities", counted)
    lm.choose([*PROMPTS, *PROMPTS], [" true", " false"])
    assert sum(rows) == len(PROMPTS)


def test_choose_of_nothing(llama_folder: Path) -> None:
    lm = load(llama_folder)
    assert lm.choose([], OPTIONS).probabilities.shape == (0, len(OPTIONS))
    assert lm.choose(PROMPTS, []).probabilities.shape == (len(PROMPTS), 0)
    with pytest.raises(InputError) as error:
        lm.choose(PROMPTS, ["yes", ""])
    assert error.value.subject == "options"


def test_greedy_texts_are_the_most_probable_tokens(lm_folder: Path) -> None:
    lm = load(lm_folder)
    oracle = ReferenceDecoder(lm)
    texts = draw(lm, PROMPTS, n=2, temperature=0.0)
    for prompt, (first, second) in zip(PROMPTS, texts, strict=True):
        expected, _ = oracle.continuation(prompt.text(), 24, lambda _, logs: int(logs.argmax()))
        assert first == second == expected


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_samples_follow_their_own_random_numbers(lm_folder: Path, temperature: float) -> None:
    lm = load(lm_folder)
    oracle = ReferenceDecoder(lm)
    params = SamplingParams(24, temperature, seed=7)
    stopped = []
    for prompt, texts in zip(PROMPTS, draw(lm, PROMPTS, n=12, temperature=temperature), strict=True):
        for index, text in enumerate(texts):
            numbers = sample_uniforms(params, prompt.text(), index)

            def pick(step: int, logs: torch.Tensor, numbers: Any = numbers) -> int:
                cdf = (logs / temperature).softmax(dim=-1).cumsum(dim=-1)
                return int((cdf <= numbers[step] * cdf[-1]).sum())

            expected, ended = oracle.continuation(prompt.text(), 24, pick)
            assert text == expected
            stopped.append(ended)
    if temperature == 1.0:
        assert 0 < sum(stopped) < len(stopped)  # both ways to end were seen


def test_texts_are_the_same_alone_and_in_any_company(lm_folder: Path) -> None:
    together, small = load(lm_folder), load(lm_folder, batch_tokens=100)
    expected = [draw(together, [prompt], n=4)[0] for prompt in PROMPTS]
    assert draw(together, PROMPTS, n=4) == expected
    assert draw(together, PROMPTS[::-1], n=4) == expected[::-1]
    assert draw(small, PROMPTS + PROMPTS, n=4) == expected + expected
    assert [texts[:2] for texts in expected] == draw(together, PROMPTS, n=2)


def test_seed_and_index_change_the_draw(llama_folder: Path) -> None:
    lm = load(llama_folder)
    (texts,) = draw(lm, PROMPTS[:1], n=6)
    assert len(set(texts)) == 6
    assert draw(lm, PROMPTS[:1], n=6, seed=8) != [texts]


def next_texts(oracle: ReferenceDecoder, prompt: Prompt, temperature: float = 1.0) -> dict[str, float]:
    """The probability of each text of one token; several tokens may look the same."""
    tokens = oracle.tokenizer(prompt.text())["input_ids"]
    probability = (oracle.log_probabilities(tokens)[-1] / temperature).softmax(dim=-1).tolist()
    found: dict[str, float] = {}
    for token, p in sorted(enumerate(probability), key=lambda item: -item[1]):
        text = oracle.tokenizer.decode([token], skip_special_tokens=True).partition("\n")[0]
        found[text] = found.get(text, 0.0) + p
    return found


def test_draws_follow_the_tempered_distribution(llama_folder: Path) -> None:
    lm = load(llama_folder)
    n = 2000
    texts = draw(lm, PROMPTS[:1], n=n, max_new_tokens=1, temperature=0.7, seed=1)[0]
    counts = Counter(texts)
    for text, p in next_texts(ReferenceDecoder(lm), PROMPTS[0], 0.7).items():
        assert abs(counts[text] - n * p) <= 5 * np.sqrt(n * p * (1 - p)) + 1  # standard deviations


def test_top_p_draws_from_the_nucleus_only(llama_folder: Path) -> None:
    lm = load(llama_folder)
    oracle = ReferenceDecoder(lm)
    probability = oracle.log_probabilities(oracle.tokenizer(PROMPTS[0].text())["input_ids"])[-1].exp()
    order = probability.argsort(descending=True)
    size = int((probability[order].cumsum(dim=0) < 0.3).sum()) + 1  # the fewest that reach 0.3
    nucleus = {oracle.tokenizer.decode([token], skip_special_tokens=True) for token in order[:size].tolist()}
    (texts,) = draw(lm, PROMPTS[:1], n=400, max_new_tokens=1, top_p=0.3)
    (free,) = draw(lm, PROMPTS[:1], n=400, max_new_tokens=1)
    assert len(nucleus) > 1
    assert set(texts) == nucleus < set(free)


def test_no_samples_of_no_prompts(llama_folder: Path) -> None:
    lm = load(llama_folder)
    assert draw(lm, []) == []
    assert draw(lm, PROMPTS[:2], n=0) == [[], []]


def test_a_prompt_beyond_the_window_is_an_error(lm_folder: Path) -> None:
    lm = load(lm_folder)
    long = text_prompt("Q: " + "why? " * 40)
    with pytest.raises(ContextLengthError) as error:
        draw(lm, [PROMPTS[0], long])
    assert error.value.subject == lm.name
    with pytest.raises(ContextLengthError) as error:
        lm.choose([PROMPTS[0], long], [" true"])
    assert error.value.subject == lm.name
    with pytest.raises(ContextLengthError) as error:
        draw(lm, PROMPTS[:1], max_new_tokens=90)
    assert error.value.subject == lm.name


def test_the_window_can_be_filled_to_the_last_token(lm_folder: Path) -> None:
    lm = load(lm_folder)
    length = len(ReferenceDecoder(lm).tokenizer(PROMPTS[0].text())["input_ids"])
    draw(lm, PROMPTS[:1], max_new_tokens=96 - length)
    with pytest.raises(ContextLengthError):
        draw(lm, PROMPTS[:1], max_new_tokens=97 - length)


def test_nothing_is_written_to_the_terminal(llama_folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    lm = load(llama_folder)
    draw(lm, PROMPTS)
    draw(lm, PROMPTS, temperature=0.0)
    lm.choose(PROMPTS, OPTIONS)
    assert capfd.readouterr() == ("", "")


def test_prompts_are_counted_as_the_model_reads_them(lm_folder: Path, chat_folder: Path) -> None:
    lm = load(lm_folder)
    tokenizer = ReferenceDecoder(lm).tokenizer
    few = Prompt("text", "Judge.", (Shot("Q: Ice is hot?", "A: false"),), "Q: Ice is cold?", "A:")
    prompts = [*PROMPTS, few, PROMPTS[0]]
    lengths = tuple(len(tokenizer(prompt.text())["input_ids"]) for prompt in prompts)
    assert lm.choose(prompts, OPTIONS).prompt_tokens == lengths
    assert lm.choose(prompts, []).prompt_tokens == lengths
    for params in (SamplingParams(4), SamplingParams(4, 1.0)):
        rows = lm.sample(prompts, 2, params)
        assert [[one.prompt_tokens for one in row] for row in rows] == [[length] * 2 for length in lengths]

    chat = load(chat_folder)
    asked = replace(few, format="chat")
    ids = chat._vocabulary.encode([asked], chat._vocabulary.render([asked]))[0]
    assert chat.choose([asked], OPTIONS).prompt_tokens == (len(ids),)
    with pytest.raises(ModelError):
        lm.choose([asked], OPTIONS)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_text_has_the_tokens_that_were_drawn_before_its_end(
    lm_folder: Path, temperature: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    lm = load(lm_folder)
    vocabulary, params = lm._vocabulary, SamplingParams(24, temperature, seed=7)
    ended = Counter[bool]()
    drawn: list[list[int]] = []
    draw_tokens = lm._decoder.draw

    def recorded(*given: Any) -> list[list[int]]:
        drawn.extend(draw_tokens(*given))
        return drawn[-len(given[0]) :]

    monkeypatch.setattr(lm._decoder, "draw", recorded)
    for prompt in PROMPTS:
        drawn.clear()
        (row,) = lm.sample([prompt], 8, params)
        for completion, tokens in zip(row, drawn, strict=temperature > 0):
            stopped = tokens[-1] in {*vocabulary.ends, *vocabulary.newlines}
            ended[stopped] += 1
            assert completion.completion_tokens == len(tokens) - stopped
    assert ended[False]
    assert ended[True] or not temperature


def test_name_device_and_dtype_are_properties(llama_folder: Path) -> None:
    lm = load(llama_folder)
    assert (lm.name, lm.device, lm.dtype) == (str(llama_folder), "cpu", "float32")
    half = TransformersLM.load(str(llama_folder), device="cpu", dtype="bfloat16")
    assert half.dtype == "bfloat16"
    assert len(draw(half, PROMPTS)) == len(PROMPTS)
    full = lm.choose(PROMPTS, OPTIONS[:2]).probabilities
    np.testing.assert_allclose(half.choose(PROMPTS, OPTIONS[:2]).probabilities, full, rtol=0.5, atol=0.02)


def test_a_verifier_is_not_a_language_model(nli_folder: Path) -> None:
    with pytest.raises(ModelError) as error:
        load(nli_folder)
    assert error.value.subject == str(nli_folder)


def test_the_tokenizer_of_another_model_is_an_error(llama_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(llama_folder, tmp_path / "model")
    path = folder / "tokenizer.json"
    content = json.loads(path.read_text())
    content["model"]["vocab"]["Ġtrue"] = 5000
    path.write_text(json.dumps(content))
    with pytest.raises(ModelError) as error:
        load(folder).choose(PROMPTS, OPTIONS)
    assert error.value.subject == str(folder)
