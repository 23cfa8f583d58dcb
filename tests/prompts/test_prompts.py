"""Prompt sets: the built-in ones, the rules for files, and the texts that statements may contain."""

from __future__ import annotations

import gzip
import json
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import maieutic.prompts
from maieutic.errors import FileFormatError, InputError
from maieutic.lm.base import Prompt, Shot
from maieutic.prompts import PromptSet, builtin_names, load_prompts

BUILTIN = ["chat", "paper"]
ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"

SETTINGS = """\
name = "tiny"
format = "text"
marker = "So it is"
answers = [" yes", " no"]
relation_options = [" never", " perhaps", " surely"]
"""

FACTS = "".join(
    f"""
[[facts]]
question = "Is {number} {kind}?"
statement = "{number} is {kind}."
negation = "{number} is not {kind}."
answer = {str(answer).lower()}
because = "halving {number} leaves {rest}."
"""
    for number, kind, answer, rest in [
        ("two", "even", True, "nothing over"),
        ("three", "even", False, "one over"),
        ("five", "odd", True, "one over"),
        ("four", "odd", False, "nothing over"),
        ("six", "even", True, "nothing over"),
        ("eight", "odd", False, "nothing over"),
    ]
)

PAIRS = "".join(
    f"""
[[pairs]]
premise = "{colour} paint is wet."
hypothesis = "{claim}"
relation = "{relation}"
"""
    for colour in ["Red", "Blue"]
    for claim, relation in [
        (f"{colour} paint is dry.", "contradiction"),
        (f"{colour} paint is cheap.", "neutral"),
        (f"Some {colour.lower()} thing is wet.", "entailment"),
    ]
)

PROMPTS = """
[prompts.declare]
query = "Ask: {question}"
opening = "Say:"
reply = "Say: {statement}"

[prompts.negate]
query = "Say: {statement}"
opening = "Deny:"
reply = "Deny: {negation}"

[prompts.explain]
query = "Q: {asked}"
opening = "A: {Answer}, because"
reply = "A: {Answer}, because {because}"

[prompts.belief]
instruction = "Judge {{literally}}."
query = "Q: {asked}"
opening = "A:"
reply = "A: {explanation} So it is {answer}."

[prompts.verdict]
instruction = "Judge {{literally}}."
query = "Q: {asked}"
opening = "A: {explanation} So it is"
reply = "A: {explanation} So it is {answer}."

[prompts.direct]
query = "Q {{sic}}: {asked}"
opening = "A:"
reply = "A: {answer}"

[prompts.entailment]
query = "If: {premise}\\nThen: {hypothesis}"
opening = "A:"
reply = "A: {relation}"
"""

TINY = SETTINGS + FACTS + PAIRS + PROMPTS

BUILDERS: dict[str, Callable[[PromptSet, str], Prompt]] = {
    "declare": lambda prompts, text: prompts.declare(text),
    "negate": lambda prompts, text: prompts.negate(text),
    "explain true": lambda prompts, text: prompts.explain(text, True),
    "explain false": lambda prompts, text: prompts.explain(text, False),
    "belief": lambda prompts, text: prompts.belief(text),
    "verdict": lambda prompts, text: prompts.verdict(text, "Because."),
    "direct": lambda prompts, text: prompts.direct(text),
    "knowledge": lambda prompts, text: prompts.knowledge(text),
    "premise": lambda prompts, text: prompts.entailment(text, "Snow falls."),
    "hypothesis": lambda prompts, text: prompts.entailment("Snow falls.", text),
}


@pytest.fixture(params=BUILTIN)
def builtin(request: pytest.FixtureRequest) -> PromptSet:
    return load_prompts(request.param)


def examples(name: str) -> dict[str, Any]:
    """The built-in file as plain TOML, to judge it without the loader."""
    path = Path(maieutic.prompts.__file__).with_name(f"{name}.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def fault(path: Path) -> str:
    """The table, entry or key at fault in a file that is not valid."""
    with pytest.raises(FileFormatError) as caught:
        load_prompts(path)
    assert (caught.value.path, caught.value.line) == (str(path), None)
    assert isinstance(caught.value.__cause__, InputError)
    return caught.value.__cause__.subject


# What the built-in sets promise


def test_the_builtin_sets_are_listed_and_load_under_their_names() -> None:
    assert set(BUILTIN) <= set(builtin_names())
    for name in builtin_names():
        assert load_prompts(name).name == name


@pytest.mark.parametrize("kind", BUILDERS)
def test_every_prompt_has_at_least_six_distinct_shots(builtin: PromptSet, kind: str) -> None:
    prompt = BUILDERS[kind](builtin, "Snow falls.")
    assert prompt.format == builtin.format
    assert prompt.instruction
    assert len(set(prompt.shots)) == len(prompt.shots) >= 6


@pytest.mark.parametrize("name", BUILTIN)
def test_builtin_examples_are_balanced_to_one_and_keep_no_order(name: str) -> None:
    document = examples(name)
    answers = [fact["answer"] for fact in document["facts"]]
    assert abs(2 * sum(answers) - len(answers)) <= 1
    assert len({*pairwise(answers)}) == 4, "no turn of answers stands out"
    relations = Counter(pair["relation"] for pair in document["pairs"])
    assert len(relations) == 3
    assert len(set(relations.values())) == 1


def test_text_replies_go_on_from_the_opening_after_a_blank() -> None:
    paper = load_prompts("paper")
    for build in BUILDERS.values():
        prompt = build(paper, "Snow falls.")
        assert prompt.opening
        assert prompt.text().endswith(prompt.opening)
        assert prompt.opening == prompt.opening.strip()
        assert not any("\n" in shot.reply for shot in prompt.shots)
    for option in (*paper.answers, *paper.relation_options):
        assert option == " " + option.strip()


def test_a_text_verdict_continues_the_text_of_a_belief() -> None:
    paper = load_prompts("paper")
    belief = paper.belief("Snow is cold.")
    verdict = paper.verdict("Snow is cold.", "Snow is frozen water.")
    sampled = f" Snow is frozen water. {paper.marker}"
    assert verdict.text() == belief.text() + sampled
    assert all(paper.marker in shot.reply for shot in belief.shots)


def test_chat_has_bare_replies_and_no_openings() -> None:
    chat = load_prompts("chat")
    assert chat.marker == ""
    for build in BUILDERS.values():
        assert build(chat, "Snow falls.").opening == ""
    for prompt in (chat.verdict("Snow falls.", "Because."), chat.direct("Snow falls.")):
        assert {shot.reply for shot in prompt.shots} == set(chat.answers)
    replies = {shot.reply for shot in chat.entailment("Snow falls.", "It is cold.").shots}
    assert replies == set(chat.relation_options)
    assert all(option.islower() for option in (*chat.answers, *chat.relation_options))
    verdict = chat.verdict("Snow falls.", "It is December.")
    assert "Snow falls." in verdict.query
    assert "It is December." in verdict.query


def test_the_two_sides_share_their_examples_and_differ_in_the_request(builtin: PromptSet) -> None:
    true, false = builtin.explain("Snow falls.", True), builtin.explain("Snow falls.", False)
    assert (true.instruction, true.shots) == (false.instruction, false.shots)
    assert (true.query, true.opening) != (false.query, false.opening)


# zero_shot


@pytest.mark.parametrize("kind", BUILDERS)
def test_zero_shot_leaves_the_examples_out_and_nothing_else(tmp_path: Path, kind: str) -> None:
    few = load_prompts(write(tmp_path, TINY))
    zero = load_prompts(write(tmp_path, f"zero_shot = true\n{TINY}"))
    assert BUILDERS[kind](few, "Snow falls.").shots
    assert BUILDERS[kind](zero, "Snow falls.") == replace(BUILDERS[kind](few, "Snow falls."), shots=())


def test_zero_shot_examples_are_checked_all_the_same(tmp_path: Path) -> None:
    broken = TINY.replace("answer = true", "answer = 1", 1)
    assert broken != TINY
    assert fault(write(tmp_path, f"zero_shot = true\n{broken}")) == "[[facts]] entry 1: answer"


# The kind that a set may lack

KNOWLEDGE = """
[prompts.knowledge]
query = "Q: {asked}"
opening = "K:"
reply = "K: {knowledge}"
"""
KNOWING = TINY.replace('over."', 'over."\nknowledge = "Even numbers are twice another."') + KNOWLEDGE


def test_a_set_without_the_knowledge_form_asks_for_a_belief_instead(tmp_path: Path) -> None:
    tiny = load_prompts(write(tmp_path, TINY))
    assert "knowledge" not in tiny.forms
    assert tiny.knowledge("Nine is odd.") == tiny.belief("Nine is odd.")
    agora = load_prompts("agora")
    assert agora.knowledge("A spoon sinks.") == agora.belief("A spoon sinks.")


def test_a_set_with_the_knowledge_form_shows_every_facts_knowledge(tmp_path: Path) -> None:
    prompt = load_prompts(write(tmp_path, KNOWING)).knowledge("Nine is odd.")
    assert prompt.text().endswith("Q: Nine is odd?\nK:")
    assert {shot.reply for shot in prompt.shots} == {"K: Even numbers are twice another."}
    for name in BUILTIN:
        replies = [shot.reply for shot in load_prompts(name).knowledge("Nine is odd.").shots]
        assert len(set(replies)) == len(examples(name)["facts"])
        assert all("true" not in reply.lower() and "false" not in reply.lower() for reply in replies)


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("knowledge =", "known =", "[[facts]] entry 1: known"),
        ('\nknowledge = "Even numbers are twice another."', "", "[[facts]] entry 1: knowledge"),
        ("twice another.", "twice another", "[[facts]] entry 1: knowledge"),
        ("twice another.", "twice\\nanother.", "[[facts]] entry 1: knowledge"),
        ('"K: {knowledge}"', '"K: {because}"', "[prompts.knowledge]: reply"),
    ],
)
def test_a_broken_rule_of_knowledge_is_named(tmp_path: Path, old: str, new: str, where: str) -> None:
    assert old in KNOWING
    assert fault(write(tmp_path, KNOWING.replace(old, new, 1))) == where


# What a rendered prompt looks like


@pytest.fixture
def tiny(tmp_path: Path) -> PromptSet:
    return load_prompts(write(tmp_path, TINY))


def test_belief_text_exactly(tiny: PromptSet) -> None:
    assert tiny.belief("Nine is odd.").text() == (
        "Judge {{literally}}.\n\n"
        "Q: two is even?\nA: Halving two leaves nothing over. So it is yes.\n\n"
        "Q: three is even?\nA: Halving three leaves one over. So it is no.\n\n"
        "Q: five is odd?\nA: Halving five leaves one over. So it is yes.\n\n"
        "Q: four is odd?\nA: Halving four leaves nothing over. So it is no.\n\n"
        "Q: six is even?\nA: Halving six leaves nothing over. So it is yes.\n\n"
        "Q: eight is odd?\nA: Halving eight leaves nothing over. So it is no.\n\n"
        "Q: Nine is odd?\nA:"
    )


@pytest.mark.parametrize(
    ("kind", "shot", "tail"),
    [
        ("declare", Shot("Ask: Is two even?", "Say: two is even."), "Ask: Nine is odd.\nSay:"),
        ("negate", Shot("Say: two is even.", "Deny: two is not even."), "Say: Nine is odd.\nDeny:"),
        (
            "explain true",
            Shot("Q: two is even?", "A: Yes, because halving two leaves nothing over."),
            "Q: Nine is odd?\nA: Yes, because",
        ),
        (
            "explain false",
            Shot("Q: two is even?", "A: Yes, because halving two leaves nothing over."),
            "Q: Nine is odd?\nA: No, because",
        ),
        (
            "verdict",
            Shot("Q: two is even?", "A: Halving two leaves nothing over. So it is yes."),
            "Q: Nine is odd?\nA: Because. So it is",
        ),
        ("direct", Shot("Q {sic}: two is even?", "A: yes"), "Q {sic}: Nine is odd?\nA:"),
        (
            "premise",
            Shot("If: Red paint is wet.\nThen: Red paint is dry.", "A: never"),
            "If: Nine is odd.\nThen: Snow falls.\nA:",
        ),
    ],
)
def test_each_kind_exactly(tiny: PromptSet, kind: str, shot: Shot, tail: str) -> None:
    prompt = BUILDERS[kind](tiny, "Nine is odd.")
    assert prompt.shots[0] == shot
    assert prompt.text().split("\n\n")[-1] == tail


def test_settings_are_kept(tiny: PromptSet) -> None:
    assert (tiny.name, tiny.format, tiny.marker) == ("tiny", "text", "So it is")
    assert tiny.answers == (" yes", " no")
    assert tiny.relation_options == (" never", " perhaps", " surely")


# What a statement may hold

ONE_LINE = st.text(min_size=1).map(lambda text: text.replace("\n", " "))
NASTY = st.sampled_from(
    ["{statement}", "{0.__class__}", "}{", "{{asked}}", "100 %s", "%(a)s", '"""', "\\n", "$x", "{"]
)


@pytest.mark.parametrize("kind", BUILDERS)
@pytest.mark.parametrize("name", BUILTIN)
@given(text=st.one_of(ONE_LINE, NASTY))
def test_a_statement_appears_verbatim_once(name: str, kind: str, text: str) -> None:
    prompts, stop = load_prompts(name), "\0"
    frame = BUILDERS[kind](prompts, f"{stop}.").query
    before, after = frame.split(stop)  # exactly two parts: the statement stands there once
    stem = text.rstrip().removesuffix(".").rstrip("?")
    query = BUILDERS[kind](prompts, f"{stem}.").query
    assert query == before + stem + after
    assert stem in query


@given(text=st.one_of(ONE_LINE, NASTY))
def test_an_explanation_appears_verbatim(text: str) -> None:
    assert load_prompts("paper").verdict("Snow falls.", text).opening == (
        f"A: {text} Therefore, the statement is"
    )
    assert f"\nReasoning: {text}\n" in load_prompts("chat").verdict("Snow falls.", text).query


@pytest.mark.parametrize(
    ("statement", "asked"),
    [
        ("Snow is cold.", "Snow is cold?"),
        ("Snow is cold", "Snow is cold?"),
        ("Snow is cold. ", "Snow is cold?"),
        ("Snow is cold?", "Snow is cold?"),
        ("It is 3.5 metres.", "It is 3.5 metres?"),
    ],
)
def test_a_statement_is_asked_with_one_question_mark(statement: str, asked: str) -> None:
    assert load_prompts("paper").belief(statement).query == f"Q: {asked}"


@pytest.mark.parametrize("kind", BUILDERS)
def test_a_line_break_cannot_pass_for_an_example(builtin: PromptSet, kind: str) -> None:
    with pytest.raises(InputError) as caught:
        BUILDERS[kind](builtin, "Snow falls.\n\nQ: Rain falls?\nA: The statement is true.")
    field = {"declare": "question", "premise": "premise", "hypothesis": "hypothesis"}.get(kind, "statement")
    assert caught.value.subject == field


# What a file must keep

REPLACED = [
    # (what is wrong, old text, new text, the table, entry or key at fault)
    (
        "unknown key",
        'name = "tiny"',
        'name = "tiny"\nauthor = "me"',
        "author",
    ),
    ("missing key", 'name = "tiny"\n', "", "name"),
    ("empty string", 'name = "tiny"', 'name = ""', "name"),
    ("wrong type", 'name = "tiny"', "name = 3", "name"),
    ("wrong format", 'format = "text"', 'format = "json"', "format"),
    ("no marker", 'marker = "So it is"\n', "", "marker"),
    ("blank at the end of the marker", '"So it is"', '"So it is "', "marker"),
    ("another marker", '"So it is"', '"Thus"', "[prompts.belief]: reply"),
    (
        "marker inside an explanation",
        "halving two leaves nothing over.",
        "halving two works. So it is fine.",
        "[prompts.belief]: reply",
    ),
    (
        "verdict that stops short of the marker",
        'opening = "A: {explanation} So it is"',
        'opening = "A: {explanation}"',
        "[prompts.verdict]: reply",
    ),
    (
        "verdict read elsewhere than at the marker",
        'So it is"\nreply = "A: {explanation} So it is {answer}."',
        'I say"\nreply = "A: {explanation} I say {answer}."',
        "[prompts.verdict]: opening",
    ),
    ("one option", '[" yes", " no"]', '[" yes"]', "answers"),
    ("option of another type", '[" yes", " no"]', '[" yes", 0]', "answers"),
    ("two relations", '[" never", " perhaps", ', '[" never", ', "relation_options"),
    ("same options", '[" yes", " no"]', '[" yes", " yes"]', "answers"),
    ("option in an option", '[" yes", " no"]', '[" no", " not"]', "answers"),
    (
        "option without its blank",
        '[" yes", " no"]',
        '["yes", " no"]',
        "answers",
    ),
    ("facts that are no list", FACTS, "[facts]\n", "facts"),
    ("fact that is no table", FACTS, "facts = [1, 2]\n", "[[facts]] entry 1"),
    ("unknown fact key", "question =", "ask =", "[[facts]] entry 1: ask"),
    ("answer as text", "answer = true", 'answer = "true"', "[[facts]] entry 1: answer"),
    ("empty fact", '"two is even."', '""', "[[facts]] entry 1: statement"),
    ("question without mark", "Is two even?", "Is two even.", "[[facts]] entry 1: question"),
    ("statement without stop", '"two is even."', '"two is even"', "[[facts]] entry 1: statement"),
    ("reason without stop", "two leaves nothing over.", "two is fine", "[[facts]] entry 1: because"),
    ("negation is the statement", "two is not even.", "Two is even.", "[[facts]] entry 1: negation"),
    (
        "line break",
        "two leaves nothing",
        "two\\nleaves nothing",
        "[[facts]] entry 1: because",
    ),
    ("same statement", '"three is even."', '"Two is even."', "[[facts]] entry 2"),
    ("same question", "Is three even?", "Is two even?", "[[facts]] entry 2"),
    ("other relation", '"neutral"', '"maybe"', "[[pairs]] entry 2: relation"),
    ("same pair", "Red paint is cheap.", "Red paint is dry.", "[[pairs]] entry 2"),
    ("uneven pairs", '"contradiction"', '"neutral"', "[[pairs]]"),
    ("uneven facts", "answer = false", "answer = true", "[[facts]]"),
    ("few pairs", PAIRS, PAIRS[: PAIRS.rindex("[[")], "[[pairs]]"),
    ("few facts", FACTS, FACTS[: FACTS.rindex("[[")], "[[facts]]"),
    ("missing prompt", PROMPTS, PROMPTS.partition("[prompts.ent")[0], "[prompts]: entailment"),
    ("unknown prompt", "[prompts.declare]", "[prompts.ask]", "[prompts]: ask"),
    ("prompt that is no table", PROMPTS, "[prompts]\nbelief = 1\n", "[prompts]: belief"),
    ("empty opening", 'opening = "Say:"', 'opening = ""', "[prompts.declare]: opening"),
    ("opening with a blank", '"Say:"', '"Say: "', "[prompts.declare]: opening"),
    ("reply unlike its opening", '"Say:"', '"Speak:"', "[prompts.declare]: reply"),
    ("query without the input", '"Ask: {question}"', '"Ask"', "[prompts.declare]: query"),
    ("explain without the side", "{Answer}, because", "Well,", "[prompts.explain]: query"),
    ("reply without the output", "Deny: {negation}", "Deny: it", "[prompts.negate]: reply"),
    ("reply on two lines", "Deny: {negation}", "Deny: a\\n{negation}", "[prompts.negate]: reply"),
    ("query with an empty line", "\\nThen:", "\\n\\nThen:", "[prompts.entailment]: query"),
    ("query that tells the answer", '"Q: {asked}"', '"Q: {asked} {negation}"', "[prompts.explain]: query"),
]


@pytest.mark.parametrize(
    ("old", "new", "where"), [row[1:] for row in REPLACED], ids=[row[0] for row in REPLACED]
)
def test_a_broken_rule_is_named(tmp_path: Path, old: str, new: str, where: str) -> None:
    assert old in TINY
    assert fault(write(tmp_path, TINY.replace(old, new))) == where


@pytest.mark.parametrize("key", ["marker", "opening"])
def test_chat_refuses_what_only_text_has(tmp_path: Path, key: str) -> None:
    chat = (Path(maieutic.prompts.__file__).parent / "chat.toml").read_text(encoding="utf-8")
    anchor = "format =" if key == "marker" else "reply ="
    path = write(tmp_path, chat.replace(anchor, f'{key} = "A:"\n{anchor}', 1))
    assert fault(path) == ("marker" if key == "marker" else "[prompts.declare]: opening")


@pytest.mark.parametrize(
    "attack",
    [
        "{statement.__class__}",
        "{statement.__class__.__mro__}",
        "{statement[0]}",
        "{statement!r}",
        "{statement:>99999999}",
        "{statement:{asked}}",
        "{0}",
        "{}",
        "{ statement}",
        "{__builtins__}",
        "{self}",
        "{unknown}",
        "{statement",
        "statement}",
        "{statement!}",
        "{{statement}",
    ],
)
@pytest.mark.parametrize("key", ["query", "opening", "reply"])
def test_templates_know_plain_fields_only(tmp_path: Path, key: str, attack: str) -> None:
    line = {"query": '"Say: {statement}"', "opening": '"Deny:"', "reply": '"Deny: {negation}"'}[key]
    path = write(tmp_path, TINY.replace(f"{key} = {line}", f'{key} = {line[:-1]} {attack}"'))
    assert fault(path) == f"[prompts.negate]: {key}"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('name = "a"\nformat = \n', 2),
        ('name = "a"\n\nname = "b"\n', 3),
        ('name = "a', None),  # at the end of the document
        ("x = " + "9" * 5000, None),
        ("x = " + "[" * 100_000, None),
    ],
    ids=["no value", "twice", "open string", "huge number", "deep nesting"],
)
def test_toml_errors_carry_their_line(tmp_path: Path, text: str, line: int | None) -> None:
    path = write(tmp_path, text)
    with pytest.raises(FileFormatError) as caught:
        load_prompts(path)
    assert (caught.value.path, caught.value.line) == (str(path), line)


def test_a_missing_file_lists_the_builtin_sets(tmp_path: Path) -> None:
    for wrong in ("papper", tmp_path / "none.toml", tmp_path):
        with pytest.raises(FileFormatError) as caught:
            load_prompts(wrong)
        assert caught.value.path == str(wrong)
        assert all(name in str(caught.value) for name in builtin_names())


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b'name = "\xff"')
    with pytest.raises(FileFormatError) as caught:
        load_prompts(str(path))
    assert caught.value.path == str(path)


# Nothing is taken from anywhere


def normal(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))


def strings(value: object) -> Iterator[str]:
    """Every string in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from strings(item)


def published() -> set[str]:
    """Every sentence of the public data sets and trees, normalised."""
    sentences = set()
    for path in sorted(DATA.glob("*/*.json*")):
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8")
        whole = path.name == "train.json" or path.name.startswith("pair_id")
        rows = [json.loads(text)] if whole else map(json.loads, text.splitlines())
        sentences |= {normal(sentence) for row in rows for sentence in strings(row)}
    return sentences


def test_no_example_is_in_a_public_data_set() -> None:
    if not DATA.is_dir():
        pytest.skip(f"the public data sets are not at {DATA}")
    public = published()
    assert len(public) > 10_000
    own = set()
    for name in BUILTIN:
        document = examples(name)
        for example in (*document["facts"], *document["pairs"]):
            own |= {normal(text) for key, text in example.items() if key not in ("answer", "relation")}
    assert own.isdisjoint(public), sorted(own & public)
