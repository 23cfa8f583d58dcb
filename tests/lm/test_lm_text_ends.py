from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from maieutic.lm.base import Prompt, SamplingParams, Shot
from tests.lm.chains import OPEN, TURNS, load, save_chain, tokenizer_of

CHAT = Prompt("chat", "Judge.", (), "Is it so?")


def reply(folder: Path, prompt: Prompt = CHAT, tokens: int = 12) -> str:
    (row,) = load(folder).sample([prompt], 1, SamplingParams(tokens))
    return row[0].text


def test_the_end_of_a_turn_ends_a_text(tmp_path: Path) -> None:
    tokenizer = tokenizer_of(TURNS.replace("</s>", "<|eot|>") + OPEN)
    folder = save_chain(tmp_path, tokenizer, "<|assistant|>Yes.<|eot|><|user|>no")
    assert reply(folder) == "Yes."
    assert set(load(folder)._vocabulary.ends) == set(tokenizer.convert_tokens_to_ids(["</s>", "<|eot|>"]))


def test_a_turn_may_end_with_plain_text(tmp_path: Path) -> None:
    tokenizer = tokenizer_of(TURNS.replace("</s>", " [END]") + OPEN)
    assert reply(save_chain(tmp_path, tokenizer, "<|assistant|>Yes. [END]ha")) == "Yes. "


def test_a_role_that_follows_without_an_end_ends_a_text(tmp_path: Path) -> None:
    tokenizer = tokenizer_of(TURNS.replace("</s>", "") + OPEN)
    assert reply(save_chain(tmp_path, tokenizer, "<|assistant|>Yes.<|user|>no")) == "Yes."


@pytest.mark.parametrize("eos", [[4], [1, 4, 10**6, -1]])
def test_generation_config_may_name_several_ends(eos: list[int], tmp_path: Path) -> None:
    folder = save_chain(tmp_path, tokenizer_of(TURNS + OPEN), "<|assistant|>Yes.<|eot|>no")
    path = folder / "generation_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"eos_token_id": eos}))
    assert reply(folder) == "Yes."


@pytest.mark.parametrize(
    ("said", "tokens", "text"),
    [
        ("<|assistant|>\n\tYes.</s>", 12, "\tYes."),
        ("<|assistant|> \nYes.</s>", 12, "Yes."),
        ("<|assistant|>\nYes.</s>", 3, "Ye"),
        ("<|assistant|>Yes.\nNo", 12, "Yes."),
        ("<|assistant|>\n</s>", 12, ""),
    ],
)
def test_newlines_before_the_first_word_are_skipped(
    said: str, tokens: int, text: str, tmp_path: Path
) -> None:
    assert reply(save_chain(tmp_path, tokenizer_of(TURNS + OPEN), said), tokens=tokens) == text


def test_a_text_of_newlines_only_ends_at_the_limit(tmp_path: Path) -> None:
    folder = save_chain(tmp_path, tokenizer_of(TURNS + OPEN), "<|assistant|>\n\t\n")
    (row,) = load(folder).sample([CHAT], 1, SamplingParams(6))
    assert (row[0].text.strip(), row[0].completion_tokens) == ("", 6)


def test_without_newlines_a_text_ends_at_the_next_example(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from tokenizers import normalizers

    tokenizer: Any = tokenizer_of("")
    tokenizer.backend_tokenizer.normalizer = normalizers.Replace("\n", " ")
    prompt = Prompt("text", "", (Shot("Q: Ice?", "A: b"), Shot("Q: Hot?", "A: c")), "Q: So?", "A:")
    assert reply(save_chain(tmp_path, tokenizer, ":yes Q:"), prompt) == "yes "
    assert caplog.messages
