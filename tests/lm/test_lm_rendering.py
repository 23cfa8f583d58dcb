from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from maieutic.errors import ModelError
from maieutic.lm.base import Prompt, SamplingParams, Shot
from maieutic.lm.local.model import TransformersLM

OPTIONS = [" true", " not at all"]
PLAIN = Prompt("text", "", (), "Q: Ice is hot?", "A:")


def load(folder: Path) -> TransformersLM:
    return TransformersLM.load(str(folder), device="cpu", dtype="float32")


def test_chat_prompts_use_the_template(chat_folder: Path) -> None:
    lm = load(chat_folder)
    shots = (Shot("Q1", "A1"),)
    (text,) = lm._vocabulary.render([Prompt("chat", "Judge.", shots, "Q2", "Therefore, ")])
    assert text == (
        "<|system|>Judge.</s><|user|>Q1</s><|assistant|>A1</s><|user|>Q2</s><|assistant|>Therefore, "
    )
    (text,) = lm._vocabulary.render([Prompt("chat", "", (), "Q2")])
    assert text == "<|user|>Q2</s><|assistant|>"
    tokens = lm._vocabulary.encode([Prompt("chat", "", (), "Q2")], [text])[0]
    assert tokens[0] == 3  # the template's own first token, no second beginning before it
    assert lm.prompts == "chat"
    chat = Prompt("chat", "Judge.", shots, "Ice is hot?", "The statement is")
    assert len(lm.sample([chat, PLAIN], 3, SamplingParams(8, 1.0))[0]) == 3
    assert lm.choose([chat, PLAIN], OPTIONS).probabilities.min() > 0


def test_a_template_without_a_system_role_gets_the_instruction_first(
    chat_folder: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(chat_folder, tmp_path / "gemma")
    template = folder / "chat_template.jinja"
    refusal = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    template.write_text(refusal + template.read_text())
    lm = load(folder)
    (text,) = lm._vocabulary.render([Prompt("chat", "Judge.", (), "Q", "A")])
    assert text == "<|user|>Judge.\n\nQ</s><|assistant|>A"
    template.write_text("{{ raise_exception('never') if messages[0].content }}")
    with pytest.raises(ModelError) as error:
        load(folder)._vocabulary.render([Prompt("chat", "Judge.", (), "Q", "A")])
    assert error.value.subject == str(folder)


def test_chat_prompts_need_a_template(llama_folder: Path) -> None:
    lm = load(llama_folder)
    assert lm.prompts == "paper"
    with pytest.raises(ModelError) as error:
        lm.choose([Prompt("chat", "", (), "Q")], OPTIONS)
    assert error.value.subject == lm.name


@pytest.mark.parametrize(
    ("template", "text"),
    [
        (
            "{% for m in messages if m.role != 'system' %}[{{ m.content }}]{% endfor %}",
            "[Judge.\n\nQ1][A1][Q2]",
        ),
        (
            "{% for m in messages %}[{% for part in m.content %}{{ part.text }}{% endfor %}]{% endfor %}",
            "[Judge.][Q1][A1][Q2]",
        ),
        (
            "{% for m in messages if m.role != 'system' %}[{% for part in m.content %}{{ part.text }}"
            "{% endfor %}]{% endfor %}",
            "[Judge.\n\nQ1][A1][Q2]",
        ),
        ("{% for m in messages %}[{{ m.content | tojson }}]{% endfor %}", '["Judge."]["Q1"]["A1"]["Q2"]'),
    ],
)
def test_no_part_of_a_prompt_is_lost(
    template: str, text: str, chat_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = shutil.copytree(chat_folder, tmp_path / "model")
    (folder / "chat_template.jinja").write_text(template)
    lm = load(folder)
    prompt = Prompt("chat", "Judge.", (Shot("Q1", "A1"),), "Q2")
    assert lm._vocabulary.render([prompt, prompt]) == [text, text]
    assert len(caplog.messages) == ("tojson" not in template)


@pytest.mark.parametrize(
    "template",
    [
        "{% for m in messages if m.role != 'assistant' %}{{ m.content }}{% endfor %}",
        "{{ messages[0].content }}",
        "{% for m in messages %}{{ m.content + 1 }}{% endfor %}",
        "{% for m in messages %}",
    ],
)
def test_a_template_that_loses_a_part_in_every_form_is_named(
    template: str, chat_folder: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(chat_folder, tmp_path / "model")
    (folder / "chat_template.jinja").write_text(template)
    lm = load(folder)
    with pytest.raises(ModelError) as caught:
        lm.choose([Prompt("chat", "Judge.", (Shot("Q1", "A1"),), "Q2")], OPTIONS)
    assert caught.value.subject == str(folder)


def test_templates_print_a_fixed_date(chat_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(chat_folder, tmp_path / "model")
    template = folder / "chat_template.jinja"
    template.write_text("\n{{ strftime_now('%A %d %B %Y, %-d/%-m') }}\n" + template.read_text())
    (text,) = load(folder)._vocabulary.render([Prompt("chat", "", (), "Q")])
    assert text == "\nWednesday 01 January 2025, 1/1\n<|user|>Q</s><|assistant|>"


WRITE = "<{{ m['role'] }}>{{ m['content'] }}"
EACH = "{% for m in messages %}"


def rendered(chat_folder: Path, folder: Path, template: str, opening: str = "") -> str:
    shutil.copytree(chat_folder, folder)
    (folder / "chat_template.jinja").write_text(template)
    chat = Prompt("chat", "Be brief.", (Shot("Is ice warm?", "No."),), "Is snow cold?", opening)
    return load(folder)._vocabulary.render([chat])[0]


@pytest.mark.parametrize(
    "template",
    [
        EACH + "{% if m['role'] == 'system' %}{{ m['content'] + none }}{% endif %}" + WRITE + "{% endfor %}",
        EACH + "{% if m['role'] == 'system' %}{{ 1 / 0 }}{% endif %}" + WRITE + "{% endfor %}",
        EACH + "{% if m['role'] != 'system' %}" + WRITE + "{% endif %}{% endfor %}",
    ],
    ids=["TypeError", "ZeroDivisionError", "dropped in silence"],
)
@pytest.mark.parametrize("opening", ["", "Well, "])
def test_an_instruction_that_is_no_message_of_its_own_heads_the_first_one(
    chat_folder: Path, tmp_path: Path, template: str, opening: str
) -> None:
    text = rendered(chat_folder, tmp_path / "model", template, opening)
    expected = "<user>Be brief.\n\nIs ice warm?<assistant>No.<user>Is snow cold?"
    assert text == expected + (f"<assistant>{opening}" if opening else "")


@pytest.mark.parametrize("opening", ["", "Well, "])
def test_a_template_may_want_content_in_parts(chat_folder: Path, tmp_path: Path, opening: str) -> None:
    parts = "{% for part in m.content if part['type'] == 'text' %}{{ part['text'] }}{% endfor %}"
    text = rendered(
        chat_folder, tmp_path / "model", EACH + "[{{ m['role'] }}]" + parts + "{% endfor %}", opening
    )
    expected = "[system]Be brief.[user]Is ice warm?[assistant]No.[user]Is snow cold?"
    assert text == expected + (f"[assistant]{opening}" if opening else "")


@pytest.mark.parametrize(
    "template",
    [
        "{{ raise_exception('never') if messages[0].content }}",
        EACH + "{{ m['content'] + 1 }}{% endfor %}",
        EACH,
        "{{ messages[9].content.text }}",
        "{{ [1, 2, 3][7:] | first | upper | join(1) }}{{ 1 % 0 }}",
        "{{ 'x' * 10 }}",
        EACH + "{% if loop.first %}" + WRITE + "{% endif %}{% endfor %}",
        "{% import 'os' as os %}",
        "{{ messages.__class__.__mro__ }}",
    ],
)
def test_a_template_that_cannot_write_the_prompt_is_one_error(
    chat_folder: Path, tmp_path: Path, template: str
) -> None:
    with pytest.raises(ModelError) as caught:
        rendered(chat_folder, tmp_path / "model", template)
    assert caught.value.subject == str(tmp_path / "model")
    assert "\n" not in str(caught.value)
