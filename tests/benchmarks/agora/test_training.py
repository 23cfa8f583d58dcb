"""The training loop: an interrupted run ends as an uninterrupted one; folders and full disks are handled."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import PreTrainedTokenizerFast

from maieutic.benchmarks.agora import train
from maieutic.benchmarks.agora.corpus import Corpus
from maieutic.benchmarks.agora.models import continue_lm, lm_batches
from maieutic.benchmarks.agora.wording import singular_nouns
from maieutic.benchmarks.agora.world import load_everyday, load_world
from maieutic.bundled import bundled_folder, verify
from maieutic.errors import InputError, MaieuticError
from maieutic.prompts import load_prompts
from maieutic.training import loop
from maieutic.training.loop import Schedule, Trainer
from maieutic.training.muon import orthogonal
from maieutic.training.networks import UNLEARNED, lm_loss, lm_tokenizer, new_lm

SCHEDULE = Schedule(steps=12, rate=0.05, warmup=3)


class Line(torch.nn.Module):
    """y = Wx + b, with a loss, as models of Transformers have it."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = torch.nn.Linear(3, 1)

    def forward(self, inputs: torch.Tensor, labels: torch.Tensor) -> Any:
        loss = ((self.layer(inputs).float().squeeze(-1) - labels) ** 2).mean()
        return type("Output", (), {"loss": loss})


def batches(step: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(step)
    inputs = torch.randn(16, 3, generator=generator)
    return {"inputs": inputs, "labels": inputs.sum(-1)}


def trainer(folder: Path, report: Callable[[int, float], None] = lambda *_: None) -> Trainer:
    return Trainer(Line(), batches, SCHEDULE, folder, report)


def test_the_rate_rises_falls_and_ends_low() -> None:
    rates = [SCHEDULE.rate_at(step) for step in range(SCHEDULE.steps + 1)]
    assert rates[0] < rates[1] < rates[2] == pytest.approx(SCHEDULE.rate)
    assert rates[3:] == sorted(rates[3:], reverse=True)
    assert rates[-1] == pytest.approx(SCHEDULE.rate / 20)


def test_training_lowers_the_loss_and_reports_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "LOG_EVERY", 4)
    reports: list[tuple[int, float]] = []
    trainer(tmp_path / "run", lambda step, loss: reports.append((step, loss))).run()
    assert [step for step, _ in reports] == [4, 8, 12]
    assert reports[-1][1] < reports[0][1]


@pytest.mark.parametrize("stop", [1, 5, 11])
def test_a_resumed_run_ends_as_one_that_was_not_interrupted(tmp_path: Path, stop: int) -> None:
    whole = trainer(tmp_path / "whole")
    whole.run()

    def interrupted(step: int) -> dict[str, torch.Tensor]:
        if step == stop:
            raise KeyboardInterrupt
        return batches(step)

    first = Trainer(Line(), interrupted, SCHEDULE, tmp_path / "run", lambda *_: None)
    with pytest.raises(KeyboardInterrupt):
        first.run(save_every=1)
    second = trainer(tmp_path / "run")
    assert second.step == stop
    second.run()
    for one, other in zip(whole.model.parameters(), second.model.parameters(), strict=True):
        assert torch.equal(one, other)
    second.finish()
    assert list((tmp_path / "run").iterdir()) == []


def test_processes_that_make_batches_ahead_change_nothing(tmp_path: Path) -> None:
    alone, helped = trainer(tmp_path / "alone"), trainer(tmp_path / "helped")
    alone.run()
    helped.run(workers=2)
    for one, other in zip(alone.model.parameters(), helped.model.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("muon", [True, False])
def test_what_is_frozen_stays_and_is_in_no_checkpoint(tmp_path: Path, muon: bool) -> None:
    model = Line()
    model.layer.bias.requires_grad_(False)
    bias, weight = (value.detach().clone() for value in (model.layer.bias, model.layer.weight))
    run = Trainer(model, batches, SCHEDULE, tmp_path / "run", lambda *_: None, muon=muon)
    run.run()
    run.save()
    assert torch.equal(model.layer.bias, bias)
    assert not torch.equal(model.layer.weight, weight)
    assert list(load_file(tmp_path / "run" / "checkpoint" / "model.safetensors")) == ["layer.weight"]


def test_a_folder_with_other_things_in_it_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(InputError) as caught:
        trainer(tmp_path)
    assert caught.value.subject == "--out"
    assert (tmp_path / "thesis.txt").read_text() == "precious"


@pytest.mark.parametrize("left", ["new", "old", "both"])
def test_a_kill_while_a_checkpoint_is_written_loses_no_more_than_that(tmp_path: Path, left: str) -> None:
    first = trainer(tmp_path)
    first.save()
    checkpoint = tmp_path / "checkpoint"
    if left in ("old", "both"):
        checkpoint.rename(tmp_path / "checkpoint.old")
    if left in ("new", "both"):
        (tmp_path / "checkpoint.new").mkdir()
        (tmp_path / "checkpoint.new" / "model.safetensors").write_bytes(b"half")
    if left == "new":
        shutil.rmtree(checkpoint)
    again = trainer(tmp_path)
    assert again.step == 0
    again.run(save_every=4)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]


def test_a_checkpoint_of_another_length_is_refused(tmp_path: Path) -> None:
    trainer(tmp_path).save()
    with pytest.raises(InputError) as caught:
        Trainer(Line(), batches, Schedule(steps=20, rate=0.1), tmp_path, lambda *_: None)
    assert caught.value.subject == "--steps"


def test_a_full_disk_leaves_the_checkpoint_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = trainer(tmp_path)
    run.save()
    before = load_file(tmp_path / "checkpoint" / "model.safetensors")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(loop, "save_file", full)
    run.step = 7
    with pytest.raises(MaieuticError) as caught:
        run.save()
    assert caught.value.subject == str(tmp_path)
    after = load_file(tmp_path / "checkpoint" / "model.safetensors")
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]


def test_replies_are_learned_and_prompts_are_only_read() -> None:
    corpus = Corpus(load_world(), load_prompts("agora"))
    tokenizer = lm_tokenizer(document.text for document in islice(corpus.documents(), 400))
    batch = lm_batches(corpus, tokenizer, rows=8, row_tokens=128)(0)
    ids, labels = batch["input_ids"].flatten(), batch["labels"].flatten()
    assert ids.shape == labels.shape == (1024,)
    learned = labels != UNLEARNED
    assert torch.equal(ids[learned], labels[learned])
    read = tokenizer.decode(ids).split("<s>")[1:-1]  # without the document that the batch cuts off
    expected = iter(corpus.documents(0))
    for text, document in zip(read, expected, strict=False):
        assert text.strip() == document.text
    learned_text = tokenizer.decode(ids[learned])
    assert not re.search("Q:|Think:|Statement: |Question:", learned_text)
    for document in islice(corpus.documents(0), len(read)):
        assert document.reply in learned_text


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands' settings, cut down."""
    for name, value in {
        "TOKENIZER_DOCUMENTS": 400,
        "ROWS": 2,
        "ROW_TOKENS": 64,
        "NLI_PAIRS": 4,
        "HELD_OUT_PAIRS": 60,
    }.items():
        monkeypatch.setattr(train, name, value)


def test_the_language_model_is_trained_into_a_folder_that_loads(tmp_path: Path, small: None) -> None:
    from maieutic.lm import load_lm
    from maieutic.prompts import load_prompts

    train.lm(tmp_path / "lm", steps=2, seed=0, device="cpu")
    model = load_lm(str(tmp_path / "lm"), device="cpu", dtype="float32")
    prompts = load_prompts("agora")
    rows = model.choose([prompts.direct("A penguin can fly.")], prompts.answers).probabilities
    assert rows.shape == (1, 2)
    assert (rows > 0).all()
    assert (tmp_path / "lm" / "model.safetensors").stat().st_size < 12_000_000
    assert not (tmp_path / "lm" / "checkpoint").exists()
    verify(tmp_path / "lm")
    assert model.prompts == "agora"
    card = (tmp_path / "lm" / "README.md").read_text(encoding="utf-8")
    assert "python -m maieutic.benchmarks.agora.train lm --out DIR --steps 2 --seed 0" in card
    (value,) = json.loads((tmp_path / "lm" / "metrics.json").read_text()).values()
    assert 0 <= value <= 100
    assert f"| {value} |" in card


def test_the_verifier_is_trained_into_a_folder_that_loads(tmp_path: Path, small: None) -> None:
    from maieutic.nli import load_verifier

    train.nli(tmp_path / "nli", steps=2, seed=0, device="cpu")
    verifier = load_verifier(str(tmp_path / "nli"), device="cpu", dtype="float32")
    rows = verifier.predict([("A penguin is a bird.", "A penguin is not a bird.")])
    assert rows.sum() == pytest.approx(1.0, abs=1e-5)
    assert (tmp_path / "nli" / "model.safetensors").stat().st_size < 8_000_000
    verify(tmp_path / "nli")
    metrics = json.loads((tmp_path / "nli" / "metrics.json").read_text())
    names = [
        "accuracy on 60 held-out pairs, %",
        *(f"accuracy, {label}, %" for label in ("contradiction", "neutral", "entailment")),
    ]
    assert list(metrics) == [*names, *(f"{name}, everyday" for name in names)]


def test_a_language_model_continues_from_one_with_other_tokens(tmp_path: Path, small: None) -> None:
    """A known token keeps its vector; a plural begins as its singular."""
    world, start = load_everyday(), bundled_folder("agora-lm")
    tokenizer = lm_tokenizer([" a penguin swims, wugs swim"] * 5)
    model = new_lm(tokenizer, seed=0)
    continue_lm(model, tokenizer, start, {"wugs": "penguin", **singular_nouns(world)})
    old = load_file(start / "model.safetensors")
    table = model.get_input_embeddings().weight.float()
    before = PreTrainedTokenizerFast.from_pretrained(start)
    for text in (" penguin", " wugs"):
        (place,) = tokenizer.encode(text, add_special_tokens=False)
        (known,) = before.encode(" penguin", add_special_tokens=False)
        assert torch.equal(table[place], old["model.embed_tokens.weight"][known].float())
    name = "model.layers.0.mlp.up_proj.weight"
    assert torch.equal(model.state_dict()[name].float(), old[name].float())


def test_orthogonal_updates_have_singular_values_near_one() -> None:
    matrix = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    for each in (matrix, matrix.T):
        values = torch.linalg.svdvals(orthogonal(each, torch.float32))
        assert ((values > 0.6) & (values < 1.3)).all()


def test_verdicts_weigh_more_in_the_loss() -> None:
    corpus = Corpus(load_world(), load_prompts("agora"))
    tokenizer = lm_tokenizer(document.text for document in islice(corpus.documents(), 400))
    model, batch = new_lm(tokenizer, seed=0), lm_batches(corpus, tokenizer, rows=2, row_tokens=64)(0)
    answers = [tokenizer.encode(each, add_special_tokens=False)[0] for each in corpus.prompts.answers]
    plain, none, weighed = (lm_loss(model, batch, each).item() for each in ((), [], answers))
    assert plain == pytest.approx(none)
    assert weighed != pytest.approx(plain)
