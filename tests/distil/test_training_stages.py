"""Critics and students: a stopped training ends like one that was not; too few data are refused."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

pytest.importorskip("rapidfuzz")

from maieutic.bundled import bundled_folder
from maieutic.checkpoints.loading import LANGUAGE_MODEL, load_checkpoint
from maieutic.distil.critic import BATCH, Critic, CriticTraining, train_critic
from maieutic.distil.criticise import Judged
from maieutic.distil.lessons import Lesson, documents_of, lesson_batches, lessons_of
from maieutic.distil.student import ALL, Sifted, StudentTraining, sift, train_student
from maieutic.distil.thresholds import RECALLS
from maieutic.distil.triples import Triple
from maieutic.errors import InputError, ModelError
from maieutic.lm import load_lm
from maieutic.lm.known_words import words_in
from maieutic.lm.local.tokens import Vocabulary
from maieutic.prompts import load_prompts
from maieutic.training.networks import UNLEARNED

HEADS = ["a dog", "a spoon", "a cat", "a boat", "milk", "a chair", "an egg", "the moon", "a coat", "a pear"]
TAILS = ["legs", "a handle", "a tail", "a shell", "a seat", "fur", "wheels"]


class StopError(Exception):
    """Stands for Ctrl-C."""


def triples() -> list[Triple]:
    """Labelled by a rule that a critic can learn: legs, a tail and fur are true of everything."""
    return [
        Triple(f"{h}.{t}", head, "HasA", tail, f"{head.capitalize()} has {tail}.", label=tail in TAILS[::2])
        for h, head in enumerate(HEADS)
        for t, tail in enumerate(TAILS)
    ]


def sifted() -> Sifted:
    return Sifted(tuple(triples()))


def silent(step: int, loss: float) -> None:
    pass


def stopping(step: int, loss: float) -> None:
    raise StopError


def test_a_student_that_was_stopped_ends_as_one_that_was_not(tmp_path: Path) -> None:
    how = StudentTraining(steps=4, rows=1, save_every=2)
    with pytest.raises(StopError):  # the loss is reported at step 4, before its checkpoint
        train_student(sifted(), tmp_path / "stopped", stopping, how)
    for name in ("stopped", "whole"):
        train_student(sifted(), tmp_path / name, silent, how)
    with pytest.raises(InputError):  # it is finished
        train_student(sifted(), tmp_path / "whole", silent, how)
    one, other = (load_file(tmp_path / name / "model.safetensors") for name in ("stopped", "whole"))
    assert one.keys() == other.keys()
    assert all(torch.allclose(one[key].float(), other[key].float(), atol=1e-2) for key in one)
    student = load_lm(str(tmp_path / "whole"))
    assert student.prompts == "agora"
    prompts = load_prompts("agora")
    scores = student.choose([prompts.direct("A dog has legs.")], prompts.answers)
    assert 0.0 < scores.probabilities.sum() <= 1.0
    assert "sha256" in (tmp_path / "whole" / "run.json").read_text()


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=12),
    st.integers(1, 4),
    st.integers(1, 30),
    st.integers(0, 9),
)
def test_batches_have_whole_lessons_in_every_order(
    lengths: list[int], rows: int, row_tokens: int, step: int
) -> None:
    """Lesson n has the tokens 1000 n, 1000 n + 1, …, of which the first is not learned if n is even."""
    lessons = [
        Lesson(tuple(range(1000 * n, 1000 * n + length)), int(n % 2 == 0))
        for n, length in enumerate(lengths, 1)
    ]
    batch = lesson_batches(lessons, rows, row_tokens, pad=0, seed=0)(step)
    assert batch["input_ids"].shape == (rows, max(row_tokens, *lengths, 1))
    seen: list[int] = []
    for ids, labels in zip(batch["input_ids"].tolist(), batch["labels"].tolist(), strict=True):
        assert ids[0] > 0
        place = 0
        while place < len(ids) and ids[place]:
            one = lessons[ids[place] // 1000 - 1]
            seen.append(ids[place] // 1000)
            end = place + len(one.tokens)
            assert tuple(ids[place:end]) == one.tokens
            learned = [*[UNLEARNED] * one.unlearned, *one.tokens[one.unlearned :]]
            assert labels[place:end] == learned
            place = end
        assert not any(ids[place:])
        assert set(labels[place:]) <= {UNLEARNED}
    first = seen[: len(lessons)]
    assert len(set(first)) == len(first)  # none twice before all were there once


def test_a_student_goes_on_from_a_model_and_keeps_what_it_is_asked_with(tmp_path: Path) -> None:
    how = StudentTraining(steps=2, rows=1, start="agora")
    train_student(sifted(), tmp_path / "student", silent, how)
    student, teacher = load_lm(str(tmp_path / "student")), load_lm("agora")
    assert student.prompts == teacher.prompts
    known, known_before = (words_in(one) for one in (tmp_path / "student", bundled_folder("agora-lm")))
    assert known is not None
    assert known_before is not None
    assert known >= known_before
    statements = [load_prompts("agora").direct(one.statement) for one in triples()]
    options = load_prompts("agora").answers
    before, after = (one.choose(statements, options).probabilities for one in (teacher, student))
    assert 0.0 < abs(before - after).max() < 0.9  # changed, and not begun anew


def test_a_chat_model_learns_its_answers_as_it_is_asked(chat_folder: Path) -> None:
    opened = replace(load_checkpoint(str(chat_folder), LANGUAGE_MODEL), window=None)
    vocabulary, prompts = Vocabulary(opened), load_prompts("chat")
    documents = documents_of(triples()[:1], [], prompts)
    for (prompt, reply), lesson in zip(documents, lessons_of(documents, vocabulary), strict=True):
        text = vocabulary.decode(lesson.tokens)
        assert reply in text
        if prompt:
            rendered = vocabulary.render([prompt])
            assert lesson.tokens[: lesson.unlearned] == vocabulary.encode([prompt], rendered)[0]
            assert lesson.tokens[-1] == vocabulary.turn_end
        else:
            assert lesson.unlearned == 0


def test_adapters_that_were_stopped_go_on(tmp_path: Path) -> None:
    pytest.importorskip("peft")
    how = StudentTraining(steps=4, rows=1, start="agora", lora=2, rate=0.05, save_every=2)
    with pytest.raises(StopError):
        train_student(sifted(), tmp_path / "stopped", stopping, how)
    saved = load_file(tmp_path / "stopped" / "training" / "checkpoint" / "model.safetensors")
    assert saved
    assert all("lora" in name for name in saved)  # and nothing of what is frozen
    for name in ("stopped", "whole"):
        train_student(sifted(), tmp_path / name, silent, how)
    one, other = (load_file(tmp_path / name / "model.safetensors") for name in ("stopped", "whole"))
    assert all(torch.allclose(one[key].float(), other[key].float(), atol=1e-2) for key in one)


@pytest.mark.parametrize(
    "wrong", [{"rate": -1.0}, {"rate": float("nan")}, {"rows": 0}, {"steps": 0}, {"lora": 2}, {"lora": -1}]
)
def test_a_training_that_cannot_be_is_refused_by_name(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError) as error:
        StudentTraining(**wrong)  # type: ignore[arg-type]
    assert error.value.subject in wrong


def test_a_model_that_is_not_there_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        train_student(sifted(), tmp_path / "student", silent, StudentTraining(rows=1, start="nobody/nothing"))
    assert not (tmp_path / "student").exists()


def test_adapters_change_a_model_and_are_no_part_of_it_afterwards(tmp_path: Path) -> None:
    pytest.importorskip("peft")
    how = StudentTraining(steps=2, rows=1, start="agora", lora=2, rate=0.05)
    train_student(sifted(), tmp_path / "student", silent, how)
    student = load_file(tmp_path / "student" / "model.safetensors")
    teacher = load_file(bundled_folder("agora-lm") / "model.safetensors")
    assert student.keys() == teacher.keys()
    changed = {name for name in student if not torch.equal(student[name], teacher[name])}
    assert changed
    assert all("proj" in name for name in changed)


def test_fewer_survivors_than_a_batch_and_full_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as few:
        train_student(Sifted(tuple(triples()[:3])), tmp_path / "few", silent, StudentTraining(rows=4))
    assert few.value.subject == "triples"
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    with pytest.raises(InputError) as full:
        train_student(sifted(), tmp_path / "full", silent, StudentTraining(rows=4))
    assert full.value.subject == "thesis.txt"


def test_a_question_about_a_negation_has_the_other_answer() -> None:
    prompts = load_prompts("agora")
    documents = documents_of(triples()[:1], [], prompts)
    assert (prompts.direct("A dog has legs."), " true.") in documents
    assert (prompts.direct("A dog does not have legs."), " false.") in documents


@given(st.lists(st.tuples(st.sampled_from(HEADS), st.sampled_from(TAILS), st.booleans()), unique=True))
def test_true_and_false_are_as_frequent_with_and_without_a_negation(
    rows: list[tuple[str, str, bool]],
) -> None:
    """Every judged statement and its negation is asked about, with the truth that it was judged to have."""
    prompts = load_prompts("agora")
    held: dict[bool, list[Triple]] = {True: [], False: []}
    expected: set[tuple[str, str]] = set()
    replies = {True: " true.", False: " false."}
    for n, (head, tail, truth) in enumerate(rows):
        verb, other = ("has", "does not have")[:: 1 if n % 2 else -1]
        expected |= {
            (f"Q: {head} {verb} {tail}?", replies[truth]),
            (f"Q: {head} {other} {tail}?", replies[not truth]),
        }
        statement = f"{head.capitalize()} {verb} {tail}."
        held[truth].append(Triple(str(n), head, "HasA", tail, statement))
    asked = [
        (prompt.query, reply) for prompt, reply in documents_of(held[True], held[False], prompts) if prompt
    ]
    assert set(asked) == expected
    for negative in (True, False):
        counts = Counter(reply for query, reply in asked if (" not " in query) == negative)
        assert len(set(counts.values())) <= 1


def test_what_is_refuted_is_what_would_be_kept_if_it_were_denied() -> None:
    judged = [Judged(one, None, None, (n + 1) / 80, 0) for n, one in enumerate(triples())]
    for level in RECALLS:
        found = sift(judged, level)
        least = min(one.joint for one in judged if one.triple in found.kept and one.joint is not None)
        assert not set(found.kept) & set(found.refuted)
        for one in judged:
            assert one.joint is not None
            if one.triple not in found.kept:
                assert (one.triple in found.refuted) == (1 - one.joint >= least)


def test_levels_keep_more_and_more() -> None:
    judged = [Judged(one, None, None, (n + 1) / 80, 0) for n, one in enumerate(triples())]
    sizes = [len(sift(judged, level).kept) for level in (*RECALLS, ALL)]
    assert sizes == sorted(set(sizes))
    assert sizes[-1] == len(judged)
    with pytest.raises(InputError):
        sift(judged, "most")


def test_a_critic_learns_a_rule_and_judges_other_heads_by_it(tmp_path: Path) -> None:
    how = CriticTraining(steps=30, every=15)
    metrics = train_critic(triples(), "agora", tmp_path / "critic", silent, how)
    assert metrics["precision at 80 % recall"] > 0.7  # 0.57 are true
    critic = Critic.load(str(tmp_path / "critic"))
    legs, wheels = critic.p_true(["A lamp has legs.", "A lamp has a shell."])
    assert legs > wheels


def test_a_critic_needs_both_labels_and_is_no_verifier(tmp_path: Path) -> None:
    one_sided = [one for one in triples() if one.label] * 1
    for few in (one_sided, triples()[: BATCH - 1]):
        with pytest.raises(InputError) as error:
            train_critic(few, "agora", tmp_path / "critic", silent)
        assert error.value.subject == "triples"
    with pytest.raises(ModelError):
        Critic.load("agora")
