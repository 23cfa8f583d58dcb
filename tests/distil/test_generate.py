"""Generation: what is accepted, what is dropped, and that a stopped run ends as one that was not stopped."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("rapidfuzz")

from maieutic.distil.generate import TRIPLES, Generated, Generating, generate
from maieutic.distil.relations import Relations, load_relations
from maieutic.distil.seeds import EVERYDAY, read_seeds
from maieutic.distil.triples import Triple, distinct, read_triples, tail_refusal
from maieutic.errors import FileFormatError, InputError
from maieutic.lm.base import Prompt
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.text import DUPLICATE, text_key

HEADS = ["a spoon", "a dog", "=1+1", "a <b>bold</b> head"]
TAILS = ["steel.", "tin.", "steel.", "<script>x</script>.", "Q: is it? A: yes.", "x" * 1_000_000, "no end"]


def relations() -> Relations:
    return load_relations("atomic").chosen(["MadeUpOf", "CapableOf", "NotCapableOf"])


def model(tails: list[str]) -> ScriptedLanguageModel:
    return ScriptedLanguageModel(lambda _, index: f" {tails[index % len(tails)]}", lambda *_: 0.5)


def last(out: Path, *, stop_after: int | None = None, batch: int = 1) -> Generated:
    calls: list[None] = []

    def stopped() -> bool:
        calls.append(None)
        return stop_after is not None and len(calls) > stop_after

    how = Generating(samples=len(TAILS), batch=batch)
    *_, state = generate(HEADS, relations(), model(TAILS), out, how, stopped)
    return state


def test_only_usable_and_distinct_tails_become_triples(tmp_path: Path) -> None:
    state = last(tmp_path / "out")
    assert [(one.head, one.tail) for one in state.triples if one.relation == "MadeUpOf"] == [
        (head, tail) for head in HEADS for tail in ("steel", "tin")
    ]
    assert len(state.triples) + state.dropped.total() == len(HEADS) * len(TAILS) * len(relations().relations)
    assert state.dropped[DUPLICATE] == len(HEADS) * len(relations().relations)


def test_a_statement_has_the_words_of_its_triple_and_of_its_template(tmp_path: Path) -> None:
    for one in last(tmp_path / "out").triples:
        template = relations().by_id[one.relation].template
        assert text_key(one.statement) == text_key(template.fill({"head": one.head, "tail": one.tail}))


def test_heads_are_asked_about_with_the_relations_of_their_kind(tmp_path: Path) -> None:
    heads = ["a spoon", "PersonX eats soup"]
    chosen = load_relations("atomic").chosen(["xNeed", "MadeUpOf"])
    *_, state = generate(heads, chosen, model(["soup."]), tmp_path / "out", Generating(samples=1))
    assert [(one.head, one.relation) for one in state.triples] == [
        ("a spoon", "MadeUpOf"),
        ("PersonX eats soup", "xNeed"),
    ]
    with pytest.raises(InputError) as error:
        list(generate(heads[:1], chosen.chosen(["xNeed"]), model(["soup."]), tmp_path / "none"))
    assert error.value.subject == "relations"


@given(st.data())
def test_what_a_reply_repeats_of_its_statement_is_no_part_of_the_tail(data: st.DataObject) -> None:
    relation = data.draw(st.sampled_from(load_relations("atomic").relations))
    beginning = relation.beginning("a spoon").split()
    repeated = beginning[data.draw(st.integers(0, len(beginning))) :]
    assert relations().tail(relation, "a spoon", " ".join([*repeated, "xyzzy."])) == "xyzzy."


@pytest.mark.parametrize("stop_after", [0, 1, 3])
def test_a_stopped_run_goes_on_to_the_same_corpus(tmp_path: Path, stop_after: int) -> None:
    state = last(tmp_path / "out", stop_after=stop_after)
    assert state.left == len(HEADS) - stop_after
    assert len((tmp_path / "out" / TRIPLES).read_text().splitlines()) == len(state.triples)
    last(tmp_path / "out")
    last(tmp_path / "whole", batch=3)
    for name in (TRIPLES, "triples.csv", "triples.graphml"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_exports_have_every_triple_and_no_formulas(tmp_path: Path) -> None:
    state = last(tmp_path / "out")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out" / "triples.csv").read_text())))
    assert [row["statement"].lstrip("'") for row in rows] == [one.statement for one in state.triples]
    assert not any(value.startswith(("=", "+", "-", "@")) for row in rows for value in row.values())
    graph = nx.read_graphml(tmp_path / "out" / "triples.graphml", force_multigraph=True)
    edges = {(one, other, data["relation"]) for one, other, data in graph.edges(data=True)}
    assert edges == {(one.head, one.tail, one.relation) for one in state.triples}


def test_a_folder_of_something_else_or_other_settings_is_refused(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    with pytest.raises(InputError) as stray:
        last(tmp_path / "full")
    assert stray.value.subject == "thesis.txt"
    last(tmp_path / "out")
    with pytest.raises(InputError) as other:
        list(generate(HEADS, relations(), model(TAILS), tmp_path / "out", Generating(samples=1)))
    assert other.value.subject == "samples"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", None),
        ("# none\n\n", None),
        ("a cat\na dog\nA cat.\n", 3),
        ("a cat\n" + "x" * 101, 2),
        ("\x1b[1m", 1),
        ("...", 1),
    ],
)
def test_seeds_that_cannot_be_used_are_refused_with_their_line(
    tmp_path: Path, text: str, line: int | None
) -> None:
    file = tmp_path / "seeds.txt"
    file.write_text(text)
    with pytest.raises(FileFormatError) as error:
        read_seeds(file)
    assert (error.value.path, error.value.line) == (str(file), line)


def test_there_are_a_thousand_everyday_heads() -> None:
    assert len(read_seeds(EVERYDAY)) == 1000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[[relations]]\nid = 'A'\nstatement = '{tail} of {head}.'\n",
        "[[relations]]\nid = 'A'\nstatement = '{head} is {tail}'\n",
        "[[relations]]\nid = 'A'\nstatement = '{head.x} is {tail}.'\n",
        "[[relations]]\nid = 'A'\nstatement = '{head} is {tail}.'\n",
        "lead = 'Fact:'\n[[relations]]\nid = 'A'\nstatement = '{head} is {tail}.'\nopposite = 'B'\n",
        "lead = 'Fact:'\n[[relations]]\nid = 'A'\nstatement = '{head} is {tail}.'\nexclusive = 'yes'\n",
        "lead = 'Fact:'\n[[relations]]\nid = 'A'\nof = 'places'\nstatement = '{head} is {tail}.'\n",
    ],
)
def test_relations_that_cannot_be_used_are_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "relations.toml"
    file.write_text(text)
    with pytest.raises(FileFormatError):
        load_relations(file)


def test_an_unknown_relation_is_refused_by_name() -> None:
    with pytest.raises(InputError) as error:
        load_relations("agora").chosen(["Needs", "Wants"])
    assert error.value.subject == "Wants"


@given(st.text(max_size=200))
def test_what_is_accepted_is_one_short_line_of_plain_words(text: str) -> None:
    if tail_refusal(text, "a dog") is None:
        assert text.endswith(".")
        assert "." not in text[:-1]
        assert text.isprintable()
        assert len(text) <= 100
        assert not set(text) & set("<>{}[]|\\`:?")
        Triple("1", "a dog", "Is", text[:-1], f"A dog is {text}")


@given(st.lists(st.sampled_from(["a bolt", "bolts", "no bolt", "steel bolt", "steel bolts", "wood", "wool"])))
def test_every_tail_is_kept_or_has_a_duplicate_that_is(tails: list[str]) -> None:
    kept = [tail for tail, reason in distinct(tails) if reason is None]
    assert all(reason is None for _, reason in distinct(kept))
    assert list(distinct(tails, kept)) == [(tail, DUPLICATE) for tail in tails]


def test_a_chat_prompt_shows_examples_and_a_lead_shows_none() -> None:
    made_of = relations().by_id["MadeUpOf"]
    chat = relations().prompt(made_of, "a spoon", "chat")
    assert isinstance(chat, Prompt)
    assert [shot.reply for shot in chat.shots] == [made_of.statement(*pair) for pair in made_of.examples]
    agora = load_relations("agora")
    assert agora.prompt(agora.by_id["Needs"], "a dog", "text").text() == "\nFact: a dog needs"


@pytest.mark.parametrize(
    "line",
    [
        "{}",
        '{"id": "1", "head": "a", "relation": "Is", "tail": "<b>", "statement": "A is <b>."}',
        '{"id": "1", "head": "a", "relation": "Is", "tail": "' + "x" * 1_000_000 + '", "statement": "A."}',
        '{"id": "1", "head": "a", "relation": "Is", "tail": "Q: b", "statement": "A is Q: b."}',
        '{"id": "1", "head": "a", "relation": "Is", "tail": "b", "statement": ""}',
    ],
)
def test_a_line_that_is_no_triple_is_refused_with_its_number(tmp_path: Path, line: str) -> None:
    good = Triple("0", "a", "Is", "c", "A is c.").to_json()
    (tmp_path / "triples.jsonl").write_text(f"{good}\n{line}\n")
    with pytest.raises(FileFormatError) as error:
        read_triples(tmp_path / "triples.jsonl")
    assert error.value.line == 2


def test_triples_with_the_same_id_or_statement_are_refused(tmp_path: Path) -> None:
    one, file = Triple("1", "a", "Is", "c", "A is c."), tmp_path / "triples.jsonl"
    for other in (Triple("1", "a", "Is", "d", "A is d."), Triple("2", "a", "Is", "c", "a is c.")):
        file.write_text(f"{one.to_json()}\n{other.to_json()}\n")
        with pytest.raises(FileFormatError):
            read_triples(file)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("responsible", "irresponsible"),
        ("able to swim", "unable to swim"),
        ("allowed to swim in the lake", "not allowed to swim in the lake"),
        ("can swim in cold water", "cannot swim in cold water"),
        ("10000 people", "10005 people"),
        ("always in the house", "sometimes in the house"),
    ],
)
def test_tails_that_say_the_opposite_are_no_duplicates(one: str, other: str) -> None:
    assert [reason for _, reason in distinct([one, other, one])] == [None, None, DUPLICATE]
