"""Check: the claims of a text, what conflicts, what is given up, and the command."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.errors import InputError
from maieutic.inference import Joint
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.pipeline import Maieutic
from maieutic.problem.asking import check_alone
from maieutic.problem.base import bare_tree
from maieutic.problem.checking import Check, check_of, check_problem, statements_of
from maieutic.problem.settled import settle, verify
from maieutic.problem.texts import claims_in
from maieutic.problem.ties import TieConfig
from maieutic.render.check import check_data, check_page
from maieutic.sentences.coordination import is_claim, split_clauses
from maieutic.tree import Proposition, Tree

Run = Callable[..., "CompletedProcess[str]"]
TEXT = "A cork floats in water. A cork sinks in water. Ice is cold."


def judge(premise: str, hypothesis: str) -> str:
    """Floating excludes sinking, of the same thing."""
    said = {
        premise.split(" in ", maxsplit=1)[0].rstrip("."),
        hypothesis.split(" in ", maxsplit=1)[0].rstrip("."),
    }
    return "contradiction" if said == {"A cork floats", "A cork sinks"} else "neutral"


def checked(text: str, **given_: object) -> Check:
    verifier = ScriptedVerifier(judge, confidence=0.98)
    statements = statements_of(claims_in(text), text=text, **given_)  # type: ignore[arg-type]
    return check_alone(statements, verifier, Joint(), TieConfig())


# -- texts ---------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(text=st.text("ab .!?;,\n-é😀 andbut", max_size=80))
def test_every_claim_keeps_its_place_in_any_text(text: str) -> None:
    try:
        found = claims_in("A dog barks. " + text).claims
    except InputError:
        return
    whole = "A dog barks. " + text
    for claim in found:
        place = " ".join(whole[claim.start : claim.end].split()).casefold().strip(" .!?,;:")
        assert claim.text.casefold().strip(" .!?,;:") == place
    assert [claim.start for claim in found] == sorted(claim.start for claim in found)


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        ("Ice is cold.\nFire is hot.", ["Ice is cold.", "Fire is hot."]),
        ("Ice is cold\nFire is hot", ["Ice is cold.", "Fire is hot."]),
        (
            "Penguins are birds that\ncannot fly. They swim.",
            ["Penguins are birds that cannot fly.", "They swim."],
        ),
        ("- Ice is cold.\n- Fire is hot.", ["Ice is cold.", "Fire is hot."]),
        (
            "Wood floats, but steel sinks; cork floats too.",
            ["Wood floats.", "Steel sinks.", "Cork floats too."],
        ),
        (
            "If it rains, the street is wet, and people stay in.",
            ["If it rains, the street is wet, and people stay in."],
        ),
        ("Dr. Smith is old. Is he?", ["Dr. Smith is old."]),
    ],
)
def test_a_text_is_split_into_claims(text: str, claims: list[str]) -> None:
    assert [claim.text for claim in claims_in(text).claims] == claims


@pytest.mark.parametrize(
    "text", ["", "  \n ", "Chapter 3", "Is it? Why?", "A" * 10 + " is " + "b " * 1500 + "."]
)
def test_a_text_without_usable_claims_is_refused(text: str) -> None:
    with pytest.raises(InputError) as error:
        claims_in(text)
    assert error.value.subject == "text"


def test_lists_are_no_clauses() -> None:
    assert len(split_clauses("A dog has legs, ears, and a tail.")) == 1
    assert is_claim("A dog has a tail.")
    assert not is_claim("a tail")


# -- checking ------------------------------------------------------------------------------------------


def test_a_conflict_is_named_and_repaired() -> None:
    check = checked(TEXT)
    assert [[literal.id for literal in each] for each in check.conflicts.sets] == [["C1", "C2"]]
    assert len(check.given_up) == 1
    assert len(check.conflicts.given_up) == 1
    assert not check.hangs_together
    assert verify(check.settled.problem, check.settled).holds
    assert TEXT[slice(*check.statements[2].places[0])] == "Ice is cold."
    assert checked("A cork floats in water. Ice is cold.").hangs_together


def test_a_fact_decides_and_settles_an_equal_statement() -> None:
    check = checked(TEXT, facts=["A cork sinks in water"])
    assert [one.text for one in check.given_up] == ["A cork floats in water."]
    assert [literal.id for literal in check.conflicts.given_up] == ["C1"]
    assert check.statements[1].fact
    assert check.statements[1].p == 1.0
    denied = checked(TEXT, facts={"A cork sinks in water.": False})
    assert [one.text for one in denied.given_up] == ["A cork sinks in water."]
    assert ["C2", "¬C2"] in [[str(one) for one in each] for each in denied.conflicts.sets]


def test_documents_are_premises_that_are_not_judged() -> None:
    check = checked("A cork floats in water. Ice is cold.", documents=["A cork sinks in water."])
    assert [one.text for one in check.given_up] == ["A cork floats in water."]
    assert {one.claim for one in check.statements} == {"C1", "C2"}
    assert {literal.id for literal in check.conflicts.sets[0]} == {"C1", "D1"}


def test_statements_conflict_through_an_explanation_that_no_truth_value_fits() -> None:
    bird, sea, land = "A penguin is a bird.", "A penguin lives in the sea.", "A penguin lives on land."
    said = {(bird, land): "entailment", (land, sea): "contradiction", (sea, land): "contradiction"}
    verifier = ScriptedVerifier(lambda *pair: said.get(pair, "neutral"), confidence=0.98)
    explanation = Proposition("QT0", "Q", land, f"It is not the case that {land}", 0.9, 0.1, True)
    root = Proposition("Q", None, bird, "")
    trees = [Tree(bird, bird, "", (root, explanation)), bare_tree(sea)]
    given_ = statements_of([bird, sea])
    found = check_of(given_, settle(check_problem(given_, trees), verifier, Joint()), Joint())
    assert [[str(one) for one in each] for each in found.conflicts.sets] == [["C1", "C2"]]
    assert found.conflicts.through == (("C1T0",),)
    assert check_data(found)["through"] == [[{"id": "C1T0", "text": land}]]
    assert land in check_page(found)
    alone = [bare_tree(bird), bare_tree(sea)]
    assert check_of(given_, settle(check_problem(given_, alone), verifier, Joint()), Joint()).hangs_together


def test_a_language_model_says_which_of_two_to_give_up() -> None:
    lm = ScriptedLanguageModel(
        lambda *_: "",
        lambda prompt, option: 0.9 if ("sinks" in prompt.query) == (option == " true") else 0.1,
    )
    asked = Maieutic(lm, ScriptedVerifier(judge, confidence=0.98))
    check = asked.check(["A cork floats in water.", "A cork sinks in water."])
    assert [one.text for one in check.given_up] == ["A cork floats in water."]
    assert [literal.id for literal in check.conflicts.given_up] == ["C1"]
    assert check.usage.calls > 0
    alone = asked.check(["A cork floats in water."], grow=False)
    assert alone.usage.calls == 0


@pytest.mark.parametrize(
    ("statements", "facts", "subject"),
    [
        ([], (), "statements"),
        ("one text", (), "statements"),
        (["Is it?"], (), "Is it?"),
        ([""], (), "text"),
        (["A dog barks."], {"Ice is cold.": True, "ice is cold": False}, "ice is cold"),
    ],
)
def test_what_cannot_be_checked_is_refused(
    statements: list[str], facts: dict[str, bool], subject: str
) -> None:
    with pytest.raises(InputError) as error:
        statements_of(statements, facts=facts)
    assert error.value.subject == subject


def test_a_long_text_keeps_to_the_budget_and_says_so() -> None:
    text = "\n".join(f"Whale number {n} swims in the sea." for n in range(5000))
    verifier = ScriptedVerifier(lambda *_: "neutral")
    given_ = statements_of(claims_in(text), text=text)
    check = check_alone(given_, verifier, Joint(), TieConfig(each=2, budget=300))
    assert len(check.statements) == 5000
    assert len(verifier.pairs) <= 300
    assert check.settled.left_out > 0
    assert check.settled.exact


# -- outputs -------------------------------------------------------------------------------------------


def test_a_page_marks_the_text_and_escapes_it() -> None:
    text = "A cork floats in water.\n<script>alert(1)</script> is bad.\nA cork sinks in water."
    page = check_page(checked(text))
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
    assert '<mark class=lost title="given up' in page
    assert page.count("<mark") == 3


def test_the_data_name_every_statement_conflict_and_repair() -> None:
    data = check_data(checked(TEXT))
    assert [one["held"] for one in data["statements"]].count(False) == 1
    assert [one["id"] for one in data["conflicts"][0]] == ["C1", "C2"]
    assert data["repair"]["weight"] > 0
    assert json.loads(json.dumps(data)) == data


SPOONS = "A spoon floats in water.\nA spoon does not float in water.\n"


def test_the_command_exits_3_where_a_conflict_stands(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text(SPOONS, encoding="utf-8")
    done = run("check", path, "--lm", "none", "--html", tmp_path / "page.html")
    assert done.returncode == 3, done.stderr
    assert "Conflict 1" in done.stdout
    assert (tmp_path / "page.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    done = run("check", "-", "--lm", "none", "--json", stdin=SPOONS.encode())
    assert done.returncode == 3
    assert not json.loads(done.stdout)["hangs_together"]
    done = run("check", "-", "--lm", "none", stdin=b"A spoon is made of steel.\n")
    assert (done.returncode, done.stderr) == (0, "")


def test_the_command_takes_facts_and_asks_the_model(run: Run, tmp_path: Path) -> None:
    (tmp_path / "facts.txt").write_text("A spoon does not float in water.\n", encoding="utf-8")
    done = run("check", "-", "--facts", tmp_path / "facts.txt", stdin=SPOONS.encode())
    assert done.returncode == 3
    assert "fact" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [
        (("-",), b""),
        (("-", "--lm", "none", "--grow"), b"Ice is cold.\n"),
        (("-", "--facts", "missing.txt"), b"Ice is cold.\n"),
        (("-",), b"\xff\xfe\xff"),
        (("missing.txt",), b""),
    ],
)
def test_the_command_refuses_bad_input_in_one_line(
    run: Run, arguments: tuple[str, ...], stdin: bytes
) -> None:
    done = run("check", *arguments, stdin=stdin)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
