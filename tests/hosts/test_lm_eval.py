"""A local task that lm-evaluation-harness itself runs, and requests that are refused."""

from __future__ import annotations

import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

lm_eval = pytest.importorskip("lm_eval")

from lm_eval.api.registry import get_model  # noqa: E402
from lm_eval.tasks import TaskManager  # noqa: E402

from maieutic import Maieutic, Vote  # noqa: E402
from maieutic.errors import InputError  # noqa: E402
from maieutic.hosts.lm_eval import SUREST, MaieuticLM, statement_of  # noqa: E402

TASK = """\
task: everyday
dataset_path: json
dataset_kwargs: {{data_files: {{test: {file}}}}}
test_split: test
output_type: {kind}
doc_to_text: "Statement: {{{{statement}}}}\\nTrue or false?\\nAnswer:"
doc_to_choice: ["false", "true"]
doc_to_target: label
num_fewshot: 0
metric_list: [{{metric: {metric}, aggregation: mean, higher_is_better: true}}]
"""
ROWS = [("A penguin can fly.", 0), ("A pillow is soft.", 1), ("An iguana has scales.", 1)]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")


@pytest.fixture(scope="module")
def agora() -> Maieutic:
    return Maieutic.load()


def evaluated(tmp_path: Path, model: Any, kind: str = "multiple_choice", metric: str = "acc") -> Any:
    file = tmp_path / "rows.jsonl"
    rows = [json.dumps({"statement": statement, "label": label}) for statement, label in ROWS]
    file.write_text("\n".join(rows), encoding="utf-8")
    (tmp_path / "everyday.yaml").write_text(
        TASK.format(file=file, kind=kind, metric=metric), encoding="utf-8"
    )
    tasks = TaskManager(include_path=str(tmp_path), include_defaults=False)
    return lm_eval.simple_evaluate(
        model=model, tasks=["everyday"], task_manager=tasks, bootstrap_iters=0, cache_requests=False
    )


@pytest.mark.filterwarnings("default")  # of the harness and of datasets
def test_a_task_is_answered_by_p_true(tmp_path: Path, agora: Maieutic) -> None:
    results = evaluated(tmp_path, MaieuticLM(agora))
    answers = list(agora.ask_many(statement for statement, _ in ROWS))
    right = [(answer.p_true or 0.0) > 0.5 for answer in answers] == [bool(label) for _, label in ROWS]
    assert (results["results"]["everyday"]["acc,none"] == 1.0) is right
    samples = sorted(results["samples"]["everyday"], key=lambda sample: sample["doc_id"])
    for sample, answer in zip(samples, answers, strict=True):
        ((false, _),), ((true, greedy),) = sample["resps"]
        assert math.exp(true) == pytest.approx(answer.p_true, abs=0.01)
        assert math.exp(true) + math.exp(false) == pytest.approx(1.0)
        assert greedy is (answer.p_true is not None and answer.p_true >= 0.5)


@pytest.mark.filterwarnings("default")
def test_a_task_that_generates_is_refused(tmp_path: Path, agora: Maieutic) -> None:
    with pytest.raises(InputError) as error:
        evaluated(tmp_path, MaieuticLM(agora), "generate_until", "exact_match")
    assert error.value.subject == "output_type"


def request(context: str, continuation: str) -> Any:
    return SimpleNamespace(args=(context, continuation))


def test_each_statement_is_judged_once_and_words_may_be_yes_and_no(agora: Maieutic) -> None:
    model = MaieuticLM(agora)
    words = (" yes", " No", "true", "False.")
    yes, no, true, false = model.loglikelihood([request("Q: Is a pillow soft?\nA:", word) for word in words])
    assert (yes, no) == (true, false)
    assert model.loglikelihood([]) == []


def test_an_answer_without_p_true_is_nearly_certain(agora: Maieutic) -> None:
    votes = MaieuticLM(Maieutic(agora.lm, agora.verifier, inference=Vote()))
    chances = {
        math.exp(p) for p, _ in votes.loglikelihood([request("A pillow is soft.", w) for w in ("yes", "no")])
    }
    assert max(chances) == pytest.approx(1.0 - SUREST)
    assert min(chances) == pytest.approx(SUREST)


@pytest.mark.parametrize(
    "context",
    [
        "A pillow is soft.",
        "Statement: A pillow is soft.\nAnswer:",
        "Claim: A pillow is soft. \n(True or False)\n",
    ],
)
def test_the_statement_is_found_among_labels_and_cues(context: str) -> None:
    assert statement_of(context) == "A pillow is soft."


@pytest.mark.parametrize(
    ("context", "word", "subject"),
    [
        ("Q: Is ice cold?\nA: yes\n\nQ: Is a pillow soft?\nA:", " yes", "doc_to_text"),
        ("Pillows are filled with down.\n\nQuestion: Is a pillow soft?\nAnswer:", " yes", "doc_to_text"),
        ("Answer:", " yes", "doc_to_text"),
        ("A pillow is soft.", " B", "doc_to_choice"),
    ],
)
def test_requests_that_are_no_statement_alone_are_refused(
    agora: Maieutic, context: str, word: str, subject: str
) -> None:
    with pytest.raises(InputError) as error:
        MaieuticLM(agora).loglikelihood([request(context, word)])
    assert error.value.subject == subject


def test_texts_to_roll_over_are_refused(agora: Maieutic) -> None:
    with pytest.raises(InputError):
        MaieuticLM(agora).loglikelihood_rolling([request("A pillow is soft.", "")])


def test_the_harness_knows_the_model_by_its_name() -> None:
    assert get_model("maieutic") is MaieuticLM
    model = MaieuticLM.create_from_arg_string("lm=agora,nli=agora", {"batch_size": 1, "device": None})
    assert isinstance(model, MaieuticLM)
