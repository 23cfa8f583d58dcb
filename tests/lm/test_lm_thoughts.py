from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from maieutic.errors import ContextLengthError, ModelError
from maieutic.lm.base import Prompt, SamplingParams, Shot
from maieutic.lm.local.thinking import THOUGHT_TOKENS, ThoughtEnd
from maieutic.lm.thoughts import TAGS, Tags
from tests.lm.chains import OPEN, SPECIAL, THINKING, TURNS, load, save_chain, tokenizer_of

ASKED = [Prompt("chat", "Judge.", (Shot("Is ice hot?", "No."),), query) for query in ("Is it so?", "Why?")]
GREEDY = SamplingParams(8)
SAID = "<|assistant|><think>hm\t</think>\n\x0bYes.</s>"
PLAIN = [*SPECIAL[:5]]


@pytest.mark.parametrize(
    ("template", "special"),
    [(THINKING, SPECIAL), (TURNS + OPEN, SPECIAL), (TURNS + OPEN, [*PLAIN, "<think>", "</think>"])],
    ids=["the template opens it", "the model opens it", "again"],
)
@pytest.mark.parametrize("params", [GREEDY, SamplingParams(8, 0.1, seed=3)])
def test_what_follows_a_thought_is_read(
    template: str,
    special: list[str],
    params: SamplingParams,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    lm = load(save_chain(tmp_path, tokenizer_of(template, special), SAID))
    for row in lm.sample(ASKED, 2, params):
        assert [one.text.strip() for one in row] == ["Yes."] * 2
        assert all(one.completion_tokens > len("Yes.") for one in row)  # the thought is paid for
    chosen = lm.choose(ASKED, ["Y", "N"]).probabilities
    np.testing.assert_allclose(chosen, [[1, 0]] * 2, atol=0.01)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]  # said once
    assert "think" in caplog.text


@pytest.mark.parametrize("tags", TAGS, ids=lambda tags: tags.opening)
@pytest.mark.parametrize("by_template", [False, True])
def test_a_thought_ends_before_the_first_word_after_it(tags: Tags, by_template: bool) -> None:
    """Tags may be texts of many tokens; here each character is one."""
    rule = ThoughtEnd(tags if by_template else None, frozenset({0}), lambda new: "".join(map(chr, new)))
    thought = f"{'' if by_template else tags.opening}So it is. {'Hm. ' * 30}{tags.closing}\n\n"
    new = [ord(character) for character in f"{thought}Yes."]
    assert [rule(new[: end + 1]) for end in range(len(new))].index(True) == len(thought)
    assert rule.thought(new[: len(thought) + 1]) == thought
    assert rule.thought([*new[:40], 0]) is None
    assert rule([*new[:40], 0])


def test_a_reply_without_a_thought_is_noticed_at_once() -> None:
    rule = ThoughtEnd(None, frozenset({0}), lambda new: "".join(map(chr, new)))
    assert not rule([ord(one) for one in "\n<thi"])
    assert rule([ord(one) for one in "\n<thr"])
    assert rule.thought([ord("Y")]) == ""


def test_a_thought_without_an_end_is_refused(tmp_path: Path) -> None:
    lm = load(save_chain(tmp_path, tokenizer_of(THINKING), "<think>hmh"))
    for ask in (lambda: lm.sample(ASKED, 1, GREEDY), lambda: lm.choose(ASKED, ["h"])):
        with pytest.raises(ModelError) as caught:
            ask()
        assert caught.value.subject == lm.name


def test_a_thought_must_fit_the_window(tmp_path: Path) -> None:
    lm = load(save_chain(tmp_path, tokenizer_of(THINKING), SAID, window=THOUGHT_TOKENS))
    with pytest.raises(ContextLengthError):
        lm.sample(ASKED, 1, GREEDY)


@pytest.mark.parametrize(
    "switch", ["enable_thinking is false", "thinking is false", "reasoning_effort == 'none'", "no_thoughts"]
)
def test_thinking_is_switched_off(switch: str, tmp_path: Path) -> None:
    name = switch.partition(" ")[0]
    template = (
        f"{TURNS}{{% if add_generation_prompt %}}<|assistant|><think>"
        f"{{% if {name} is defined and {switch} %}}</think>{{% endif %}}{{% endif %}}"
    )
    lm = load(save_chain(tmp_path, tokenizer_of(template), "</think>Yes.</s>"))
    (text,) = lm._vocabulary.render(ASKED[:1])
    assert text.endswith("<think></think>")
    assert lm.sample(ASKED[:1], 1, GREEDY)[0][0].text == "Yes."


def test_the_templates_own_empty_thought_is_used(tmp_path: Path) -> None:
    turns = TURNS.replace("<|assistant|>{{", "<|assistant|><think>\n</think>{{")
    template = turns + "{% if add_generation_prompt %}<|assistant|><think>\n{% endif %}"
    lm = load(save_chain(tmp_path, tokenizer_of(template), "</think>Yes.</s>"))
    assert lm._vocabulary.render(ASKED[:1])[0].endswith("<|assistant|><think>\n</think>")
    (row,) = lm.sample(ASKED[:1], 1, GREEDY)
    assert (row[0].text, row[0].completion_tokens) == ("Yes.", 4)


def test_a_question_about_tags_is_no_thought(tmp_path: Path) -> None:
    lm = load(save_chain(tmp_path, tokenizer_of(TURNS + OPEN), "<|assistant|>Yes.</s>"))
    asked = Prompt("chat", "", (), "What does <think> do?")
    assert lm.sample([asked], 1, GREEDY)[0][0].text == "Yes."
