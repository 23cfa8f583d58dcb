"""A memory as its definition has it: agreement, facts, what changed, models, several processes, damage."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from maieutic.answer import Answer
from maieutic.errors import InputError, MaieuticError
from maieutic.inference import Joint, Vote
from maieutic.inference.assumptions import assumptions_of
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.memory.base import Memory
from maieutic.memory.lines import PropositionLine, RelationLine, line_json, parse_line
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.pipeline import Maieutic
from maieutic.prompts import load_prompts
from maieutic.render.check import check_data
from tests.memory.conftest import Pipeline

WRITER = Path(__file__).with_name("memory_writer.py")
PENGUIN, BIRDS, SPARROW = "A penguin can fly.", "Birds can fly.", "A sparrow can fly."


def birds_fly(premise: str, hypothesis: str) -> str:
    """What a verifier might think: birds that fly make penguins fly, and penguins that do not, no birds."""
    if premise == BIRDS and hypothesis == PENGUIN:
        return "entailment"
    if premise == "Penguins cannot fly at all." and hypothesis == PENGUIN:
        return "contradiction"
    return "neutral"


# -- agreement and facts -------------------------------------------------------------------------------


def test_an_answer_agrees_with_a_fact_that_bears_on_it(memory: Memory, pipeline: Pipeline) -> None:
    alone = pipeline(None, {PENGUIN: 0.3}, birds_fly).ask(PENGUIN)
    memory.assert_fact(BIRDS)
    answer = pipeline(memory, {PENGUIN: 0.3}, birds_fly).ask(PENGUIN)
    assert (alone.answer, answer.answer) == (False, True)
    assert answer.memory is not None
    assert (answer.memory.facts, answer.memory.shown, answer.memory.idle) == (1, (BIRDS,), ())
    assert Answer.from_json(answer.to_json()) == answer


def test_a_fact_that_is_the_question_decides_it(memory: Memory, pipeline: Pipeline) -> None:
    memory.assert_fact(PENGUIN, holds=False)
    answer = pipeline(memory, {PENGUIN: 0.99}).ask("Can a penguin fly?")
    assert (answer.answer, answer.p_true) == (False, 0.0)
    assert answer.memory is not None
    assert answer.memory.settled_by == PENGUIN
    assert Answer.from_json(answer.to_json()) == answer


def test_a_fact_that_is_the_negation_of_the_question_decides_it(memory: Memory, pipeline: Pipeline) -> None:
    memory.assert_fact("A penguin cannot fly.")
    assert not pipeline(memory, {PENGUIN: 0.99}).ask(PENGUIN).answer


def test_a_fact_that_touches_nothing_is_unused(memory: Memory, pipeline: Pipeline) -> None:
    verifier = ScriptedVerifier(birds_fly)
    assert memory.assert_fact("Ice is cold.", verifier=verifier).fact.unused
    answer = pipeline(memory, {}).ask("Ice melts.")
    assert answer.memory is not None
    assert answer.memory.idle == ("Ice is cold.",)
    assert [fact.unused for fact in memory.facts()] == [True]


def test_an_earlier_answer_that_changes_is_reported_with_the_reason(
    memory: Memory, pipeline: Pipeline
) -> None:
    assert not pipeline(memory, {PENGUIN: 0.3}, birds_fly).ask(PENGUIN).answer
    later = pipeline(memory, {BIRDS: 0.999}, birds_fly).ask(BIRDS)
    assert later.memory is not None
    found = memory.assert_fact(BIRDS, verifier=ScriptedVerifier(birds_fly, confidence=0.98))
    changes = [*later.memory.changed, *found.changed]
    (change,) = [one for one in changes if one.statement == PENGUIN]
    assert (change.before, change.after, change.answer) == (False, True, True)
    assert BIRDS in change.why[0]
    why = memory.why("a penguin can fly")
    assert why.label is True
    assert [one.after for _, one in why.changes] == [True]
    assert any(text == BIRDS for tie in why.ties for text, _ in tie.statements)


def test_a_retracted_fact_no_longer_counts(memory: Memory, pipeline: Pipeline) -> None:
    memory.assert_fact(BIRDS)
    ask = pipeline(memory, {PENGUIN: 0.3, BIRDS: 0.4}, birds_fly).ask
    assert ask(PENGUIN).answer
    changes = memory.retract(BIRDS)
    assert memory.facts() == []
    assert PENGUIN in {change.statement for change in changes}
    assert not ask(PENGUIN).answer
    with pytest.raises(InputError):
        memory.retract(BIRDS)


def test_facts_that_contradict_each_other_are_refused_and_named(memory: Memory) -> None:
    memory.assert_fact(PENGUIN)
    for text, holds in ((PENGUIN, False), ("A penguin cannot fly.", True)):
        with pytest.raises(InputError) as error:
            memory.assert_fact(text, holds=holds)
        assert PENGUIN in str(error.value)
        assert error.value.subject == text
    with pytest.raises(InputError) as error:
        verifier = ScriptedVerifier(birds_fly, confidence=0.98)
        memory.assert_fact("Penguins cannot fly at all.", verifier=verifier)
    assert PENGUIN in str(error.value)
    assert len(memory.facts()) == 1


@pytest.mark.parametrize("text", ["", "  ", "Is ice cold?", "x" * 3000])
def test_what_is_no_fact_is_refused(memory: Memory, text: str) -> None:
    with pytest.raises(InputError):
        memory.assert_fact(text)


def test_asking_the_same_again_gives_the_same(memory: Memory, pipeline: Pipeline) -> None:
    ask = pipeline(memory, {PENGUIN: 0.3}, birds_fly).ask
    first, second = ask(PENGUIN), ask(PENGUIN)
    assert second.p_true == pytest.approx(first.p_true)


def test_the_verifier_is_never_asked_twice(memory: Memory, pipeline: Pipeline) -> None:
    memory.assert_fact(BIRDS)
    pipeline(memory, {}, birds_fly).ask(PENGUIN)
    again = pipeline(memory, {}, birds_fly)
    again.ask(PENGUIN)
    assert isinstance(again.verifier, ScriptedVerifier)
    assert [pair for pair in again.verifier.pairs if BIRDS in pair] == []


def test_other_models_are_named(memory: Memory, pipeline: Pipeline) -> None:
    pipeline(memory, {}).ask(PENGUIN)
    other = pipeline(memory, {})
    assert isinstance(other.lm, ScriptedLanguageModel)
    other.lm.name = "another"
    (warning,) = other.ask(SPARROW).warnings
    assert "scripted" in warning


def test_only_joint_inference_has_a_memory(memory: Memory, pipeline: Pipeline) -> None:
    maieutic = pipeline(None, {})
    with pytest.raises(InputError) as error:
        type(maieutic)(maieutic.lm, maieutic.verifier, inference=Vote(), memory=memory)
    assert error.value.subject == "memory"


def test_choose_and_check_share_the_memory(memory: Memory, pipeline: Pipeline) -> None:
    maieutic = pipeline(memory, {PENGUIN: 0.05, SPARROW: 0.9}, birds_fly)
    memory.assert_fact(SPARROW)
    choice = maieutic.choose("Which animal can fly?", ["a stone", "a sparrow"])
    assert choice.memory is not None
    check = maieutic.check([PENGUIN, SPARROW], grow=True)
    assert check.memory is not None
    assert check.settled.labels["C2"] is True
    assert memory.why(PENGUIN).label is False


def test_a_statement_that_a_remembered_fact_contradicts_is_a_conflict(
    memory: Memory, pipeline: Pipeline
) -> None:
    fact = "Penguins cannot fly at all."
    memory.assert_fact(fact)
    check = pipeline(memory, {PENGUIN: 0.9}, birds_fly).check([PENGUIN])
    (conflict,) = check_data(check)["conflicts"]
    assert {one["text"] for one in conflict} == {PENGUIN, fact}
    assert [one.id for one in check.conflicts.given_up] == ["C1"]


def test_answers_conflict_through_what_nobody_asked_about(memory: Memory) -> None:
    land = "Birds live on land."
    memory.import_lines(
        [
            PropositionLine(BIRDS, answered=True, label=True),
            PropositionLine(PENGUIN, answered=True, label=True),
            PropositionLine(land),
            RelationLine(
                BIRDS, land, "entailment", 1.0, distribution=(0.01, 0.01, 0.98), verifier=("f", "n")
            ),
            RelationLine(
                PENGUIN, land, "contradiction", 1.0, distribution=(0.98, 0.01, 0.01), verifier=("f", "n")
            ),
        ]
    )
    assert [set(one) for one in memory.conflicts().sets] == [{BIRDS, PENGUIN}]


SPOON, STEEL, WOOL = "What is a spoon made of?", "A spoon is made of steel.", "A spoon is made of wool."


def test_a_choice_binds_its_options_from_then_on(memory: Memory, pipeline: Pipeline) -> None:
    pipeline(memory, {STEEL: 0.9, WOOL: 0.2}).choose(SPOON, ["steel", "wool"])
    (choice,) = memory.choices()
    assert choice.question == SPOON
    assert dict(choice.options) == {STEEL: True, WOOL: False}
    assert memory.settle().changed == ()
    wool = memory.assert_fact(WOOL)
    assert not wool.fact.unused
    (change,) = [one for one in wool.changed if one.statement == STEEL]
    assert (change.before, change.after) == (True, False)
    assert SPOON in change.why[0]
    answer = pipeline(memory, {STEEL: 0.99}).ask(STEEL)
    assert (answer.answer, answer.p_true) == (False, 0.0)
    assert Answer.from_json(answer.to_json()) == answer
    assert memory.why(STEEL).choices[0].question == SPOON


def test_what_a_choice_excludes_is_refused_and_named(memory: Memory, pipeline: Pipeline) -> None:
    maieutic = pipeline(memory, {STEEL: 0.9})
    maieutic.choose(SPOON, ["steel", "wool"])
    memory.assert_fact(STEEL)
    for text, holds in ((WOOL, True), ("A spoon is not made of wool.", False)):
        with pytest.raises(InputError) as error:
            memory.assert_fact(text, holds=holds)
        assert STEEL in str(error.value)
        assert SPOON in str(error.value)
    assert [fact.statement for fact in memory.facts()] == [STEEL]
    changes = memory.retract(SPOON)
    assert memory.choices() == []
    assert changes == []
    memory.assert_fact(WOOL)
    with pytest.raises(InputError) as error:
        maieutic.choose(SPOON, ["steel", "wool"])
    assert STEEL in str(error.value)
    assert WOOL in str(error.value)
    with pytest.raises(InputError):
        memory.retract(SPOON)


def test_choices_that_share_options_hold_together(memory: Memory, pipeline: Pipeline) -> None:
    """Exactly one of each two of three options cannot hold, so the last choice is refused."""
    maieutic = pipeline(memory, {STEEL: 0.9, WOOL: 0.6, "A spoon is made of paper.": 0.7})
    maieutic.choose(SPOON, ["steel", "wool"])
    maieutic.choose(SPOON, ["steel", "paper"])
    with pytest.raises(InputError) as error:
        maieutic.choose(SPOON, ["wool", "paper"])
    assert SPOON in str(error.value)
    assert len(memory.choices()) == 2


def test_an_assumed_fact_of_a_memory_counts_as_assumed(memory: Memory, pipeline: Pipeline) -> None:
    maieutic = pipeline(memory, {PENGUIN: 0.3}, birds_fly)
    maieutic.ask(PENGUIN)
    memory.assert_fact(BIRDS, verifier=maieutic.verifier, joint=Joint())
    assumed = Joint(assumptions=assumptions_of([BIRDS], []))
    again = Maieutic(maieutic.lm, maieutic.verifier, elicit=maieutic.elicit, inference=assumed, memory=memory)
    assert again.ask(PENGUIN).answer


def test_a_memory_of_the_first_version_gets_choices(
    memory: Memory, pipeline: Pipeline, path: Path, notices: list[str]
) -> None:
    memory.assert_fact(BIRDS)
    pipeline(memory, {PENGUIN: 0.3}, birds_fly).ask(PENGUIN)
    lines = list(memory.export())
    memory.close()
    with closing(sqlite3.connect(path)) as db:
        db.executescript("DROP TABLE choices; DROP TABLE options; PRAGMA user_version = 1")
    assert list(memory.export()) == lines
    assert memory.choices() == []
    pipeline(memory, {STEEL: 0.9}).choose(SPOON, ["steel", "wool"])
    assert len(memory.choices()) == 1
    assert notices == []


def test_facts_are_shown_in_prompts_that_have_a_place_for_them() -> None:
    shown = load_prompts("paper").knowing([BIRDS])
    assert BIRDS in shown.direct(PENGUIN).instruction
    assert BIRDS not in shown.negate(PENGUIN).instruction
    trained = load_prompts("agora")
    assert trained.knowing([BIRDS]) == trained


# -- the file ------------------------------------------------------------------------------------------


def test_export_and_import_give_the_same_memory(memory: Memory, pipeline: Pipeline, tmp_path: Path) -> None:
    memory.assert_fact(BIRDS)
    maieutic = pipeline(memory, {PENGUIN: 0.3, STEEL: 0.9}, birds_fly)
    maieutic.ask(PENGUIN)
    maieutic.choose(SPOON, ["steel", "wool"])
    lines = list(memory.export())
    copy = Memory(tmp_path / "copy.memory", clock=lambda: 1_700_000_000.0)
    assert copy.import_lines([parse_line(line_json(line).encode()) for line in lines]) == len(lines)
    assert list(copy.export()) == lines
    assert copy.import_lines(lines) == 0
    assert copy.choices() == memory.choices()
    copy.assert_fact(WOOL)
    assert copy.why(STEEL).label is False
    with pytest.raises(InputError):
        copy.import_lines(
            [parse_line(b'{"kind":"choice","question":"Which?","options":["No such.","Nor."]}')]
        )


def test_an_import_with_a_contradiction_adds_nothing(memory: Memory, tmp_path: Path) -> None:
    other = Memory(tmp_path / "other.memory")
    for text, holds in ((SPARROW, True), (PENGUIN, True)):
        other.assert_fact(text, holds=holds)
    memory.assert_fact(PENGUIN, holds=False)
    with pytest.raises(InputError):
        memory.import_lines(list(other.export()))
    assert memory.contents().propositions == 1


def test_a_newer_memory_and_other_files_are_refused_untouched(memory: Memory, path: Path) -> None:
    memory.assert_fact(PENGUIN)
    memory.close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    for content in (None, b"my notes", b"SQLite"):
        if content is not None:
            path.write_bytes(content)
        before = path.read_bytes()
        with pytest.raises(InputError) as error:
            Memory(path).facts()
        assert error.value.subject == str(path)
        assert path.read_bytes() == before


def test_a_database_of_another_program_is_refused(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE mine (x)")
        db.commit()
    with pytest.raises(InputError):
        Memory(path).facts()


def test_a_damaged_memory_is_moved_aside_and_said(memory: Memory, path: Path, notices: list[str]) -> None:
    for number in range(50):
        memory.assert_fact(f"Thing {number} is heavy.")
    memory.close()
    data = bytearray(path.read_bytes())
    data[200:-1] = b"\xff" * (len(data) - 201)
    path.write_bytes(bytes(data))
    assert memory.facts() == []
    (notice,) = notices
    assert "damaged" in notice
    assert path.with_name(f"{path.name}.corrupt-1").read_bytes() == bytes(data)


@pytest.mark.parametrize("seed", range(10))
def test_any_damage_is_refused_moved_aside_or_harmless(
    memory: Memory, path: Path, notices: list[str], seed: int
) -> None:
    for number in range(20):
        memory.assert_fact(f"Thing {number} is heavy.")
    memory.close()
    rng = random.Random(seed)
    data = bytearray(path.read_bytes())
    start = rng.randrange(len(data))
    data[start : start + 500] = rng.randbytes(len(data[start : start + 500]))
    path.write_bytes(bytes(data))
    try:
        memory.assert_fact("Ice is cold.")
        memory.settle()
    except MaieuticError as error:
        assert error.subject == str(path)


def test_a_memory_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("a file")
    with pytest.raises(MaieuticError):
        Memory(tmp_path / "folder" / "notes.memory").assert_fact(PENGUIN)


# -- several processes and kills -----------------------------------------------------------------------


def consistent(path: Path) -> int:
    """Check what always holds in a memory; the number of questions in it."""
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)

        def count(query: str) -> int:
            return int(db.execute(query).fetchone()[0])

        assert count("SELECT propositions FROM totals") == count("SELECT COUNT(*) FROM propositions")
        assert count("SELECT words FROM totals") == count("SELECT COALESCE(SUM(words), 0) FROM propositions")
        assert not count(
            "SELECT COUNT(*) FROM terms t WHERE count != (SELECT COUNT(*) FROM postings WHERE term = t.id)"
        )
        assert not count(
            "SELECT COUNT(*) FROM relations WHERE abs(source) NOT IN (SELECT id FROM propositions) "
            "OR abs(target) NOT IN (SELECT id FROM propositions)"
        )
        assert not count("SELECT COUNT(*) FROM questions WHERE proposition = 0 AND kind != 'settle'")
        assert not count("SELECT COUNT(*) FROM propositions WHERE label IS NULL")
        return count("SELECT COUNT(*) FROM questions")


def test_a_process_killed_at_any_point_leaves_whole_questions(tmp_path: Path) -> None:
    rng = random.Random(0)
    path = tmp_path / "killed.memory"
    done = 0
    for round_ in range(20):
        command = [sys.executable, str(WRITER), str(path), f"r{round_}", "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as program:
            assert program.stdout is not None
            program.stdout.readline()
            time.sleep(rng.uniform(0.0, 0.1))
            program.kill()
        assert program.returncode == -signal.SIGKILL
        found = consistent(path)
        assert found > done
        done = found


def test_several_processes_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "shared.memory"
    programs = [
        subprocess.Popen([sys.executable, str(WRITER), str(path), name, "8"], stdout=subprocess.DEVNULL)
        for name in ("a", "b", "c")
    ]
    assert [program.wait() for program in programs] == [0, 0, 0]
    assert consistent(path) == 24
    assert Memory(path).contents().propositions == 24
