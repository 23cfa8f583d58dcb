"""Critics and students: a stopped training ends like one that was not; too few data are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

pytest.importorskip("rapidfuzz")

from maieutic.distil.critic import BATCH, Critic, CriticTraining, train_critic
from maieutic.distil.criticise import Judged
from maieutic.distil.student import ALL, StudentTraining, documents_of, surviving, train_student
from maieutic.distil.thresholds import RECALLS
from maieutic.distil.triples import Triple
from maieutic.errors import InputError, ModelError
from maieutic.lm import load_lm
from maieutic.prompts import load_prompts

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


def silent(step: int, loss: float) -> None:
    pass


def stopping(step: int, loss: float) -> None:
    raise StopError


def test_a_student_that_was_stopped_ends_as_one_that_was_not(tmp_path: Path) -> None:
    how = StudentTraining(steps=4, rows=1, save_every=2)
    with pytest.raises(StopError):  # the loss is reported at step 4, before its checkpoint
        train_student(triples(), tmp_path / "stopped", stopping, how)
    for name in ("stopped", "whole"):
        train_student(triples(), tmp_path / name, silent, how)
    with pytest.raises(InputError):  # it is finished
        train_student(triples(), tmp_path / "whole", silent, how)
    one, other = (load_file(tmp_path / name / "model.safetensors") for name in ("stopped", "whole"))
    assert one.keys() == other.keys()
    assert all(torch.allclose(one[key].float(), other[key].float(), atol=1e-2) for key in one)
    student = load_lm(str(tmp_path / "whole"))
    assert student.prompts == "agora"
    prompts = load_prompts("agora")
    scores = student.choose([prompts.direct("A dog has legs.")], prompts.answers)
    assert 0.0 < scores.probabilities.sum() <= 1.0
    assert "sha256" in (tmp_path / "whole" / "run.json").read_text()


def test_fewer_survivors_than_a_batch_and_full_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as few:
        train_student(triples()[:3], tmp_path / "few", silent, StudentTraining(rows=4))
    assert few.value.subject == "triples"
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    with pytest.raises(InputError) as full:
        train_student(triples(), tmp_path / "full", silent, StudentTraining(rows=4))
    assert full.value.subject == "thesis.txt"


def test_a_question_about_a_negation_has_the_other_answer() -> None:
    prompts = load_prompts("agora")
    documents = documents_of(triples()[:1], prompts)
    assert (prompts.direct("A dog has legs.").text(), "true.") in documents
    assert (prompts.direct("A dog does not have legs.").text(), "false.") in documents


def test_levels_keep_more_and_more() -> None:
    judged = [Judged(one, None, None, (n + 1) / 80, 0) for n, one in enumerate(triples())]
    sizes = [len(surviving(judged, level)) for level in (*RECALLS, ALL)]
    assert sizes == sorted(set(sizes))
    assert sizes[-1] == len(judged)
    with pytest.raises(InputError):
        surviving(judged, "most")


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
