"""The throughput benchmark: both sides do the same work, every part runs, the record holds what it must."""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from maieutic.benchmarks.throughput import hardware
from maieutic.benchmarks.throughput.achieved import Decoding, Sizes, counted
from maieutic.benchmarks.throughput.backends import ReferenceLM, ReferenceVerifier, Working
from maieutic.benchmarks.throughput.choosing import Chooser, choose_rows
from maieutic.benchmarks.throughput.clock import Clock, Side
from maieutic.benchmarks.throughput.generating import Drawer, Generate, Workload, drawn_tokens, workloads
from maieutic.benchmarks.throughput.models import open_subject, open_verifier
from maieutic.benchmarks.throughput.questions import OneByOne, Together
from maieutic.benchmarks.throughput.rows import Row, Series
from maieutic.benchmarks.throughput.script import write_script
from maieutic.benchmarks.throughput.sections import SECTIONS
from maieutic.benchmarks.throughput.sentences import sentence
from maieutic.benchmarks.throughput.table import as_markdown
from maieutic.benchmarks.throughput.verifying import verifier_rows
from maieutic.benchmarks.throughput.workbench import REFERENCE_QUESTIONS, Workbench
from maieutic.config import ElicitConfig
from maieutic.elicit import elicit
from maieutic.errors import ModelError
from maieutic.nli.transformers import TransformersVerifier
from maieutic.prompts import load_prompts
from maieutic.tree import Tree

CPU = torch.device("cpu")
NEW_TOKENS = 3


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """Tiny models with random weights in float32, two questions, one repeat."""
    subject = open_subject("", "tiny", "auto", CPU, torch.float32)
    scratch = tmp_path_factory.mktemp("verifier")
    checkpoint = open_verifier("", "tiny", CPU, torch.float32, scratch)
    verifier = TransformersVerifier(checkpoint)
    return Workbench(subject, checkpoint, verifier, Clock(CPU, 1), 2, NEW_TOKENS)


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """The models are too small to share among threads, which would wait for each other on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def _little_to_try(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (choosing, generating, verifying):
        monkeypatch.setitem(module.BATCH_SIZES, "cpu", (16,))
    monkeypatch.setitem(generating.BATCH_TOKENS, "cpu", (512,))
    monkeypatch.setitem(hardware.MATRIX, "cpu", 64)
    monkeypatch.setitem(hardware.COPIED, "cpu", 2**16)


@pytest.fixture
def without_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine that has none of the packages to compare with."""
    for name in ("lm_eval", "sentence_transformers"):
        for module in (name, *(known for known in sys.modules if known.startswith(f"{name}."))):
            monkeypatch.setitem(sys.modules, module, None)


# -- the work ------------------------------------------------------------------------------------------


@given(st.sets(st.integers(0, 10**6), min_size=2, max_size=20))
def test_no_two_sentences_are_alike_and_none_is_its_negation(numbers: set[int]) -> None:
    made = [sentence(number) for number in numbers]
    texts = [text for one in made for text in (one.affirmed, one.denied)]
    assert len(set(texts)) == 2 * len(numbers)
    assert all(text.endswith(".") and "\n" not in text for text in texts)


@pytest.mark.parametrize("prompt_set", ["paper", "chat", "agora"])
def test_the_script_grows_a_root_alone_and_a_tree_of_the_papers_shape_in_turns(prompt_set: str) -> None:
    prompts, config = load_prompts(prompt_set), ElicitConfig()
    script = write_script(4, prompts, config)
    trees = elicit(script.questions, script.model(prompts), prompts, config)
    sizes = [len(tree.nodes) + len(tree.pruned) for tree in trees]
    assert sizes == [1, 13, 1, 13]
    assert not any(tree.discarded for tree in trees)
    children = Counter((node.parent, node.side) for node in (*trees[1].nodes, *trees[1].pruned))
    assert sorted(Counter(children.values()).items()) == [(1, 7), (3, 2)]  # the root, 6 at depth 2; 3 a side


def test_ours_and_the_reference_ask_the_same_and_grow_the_same_trees(bench: Workbench) -> None:
    ours, reference = Together(bench), OneByOne(bench)
    for side in (ours, reference):
        with side.around():
            assert side.work() == REFERENCE_QUESTIONS

    def asked(side: Together | OneByOne) -> Counter[Any]:
        return Counter(
            (call.kind, prompt, call.n, call.new_tokens) for call in side.calls for prompt in call.prompts
        )

    def grown(side: Together | OneByOne) -> list[Tree]:
        return [answer.tree for answer in side.answers]

    assert asked(ours) == asked(reference)
    assert grown(ours) == grown(reference) == bench.trees
    assert len(ours.calls) < len(reference.calls)


def test_no_text_ends_before_its_limit_on_either_side(bench: Workbench) -> None:
    load = workloads(bench)[0]
    ours, other = Drawer(bench, load), Generate(bench, load, batch_size=3)
    for side in (ours, other):
        with side.around():
            assert side.work() == len(load.prompts) * NEW_TOKENS


def test_texts_of_random_weights_can_be_made_to_differ_in_length(bench: Workbench) -> None:
    load = Workload("", bench.prompts("explain", 4), 25, 30, lambda: bench.subject.ending(5))
    drawer = Drawer(bench, load)
    with drawn_tokens() as lengths, drawer.around():
        ours = drawer.work()
    other = Generate(bench, load, batch_size=100)
    with other.around():
        theirs = other.work()
    assert len(lengths) == 100
    assert len(set(lengths)) > 5
    assert 3 < np.mean(lengths) < 8
    error = math.sqrt(2 * 5 * 4 / 100)  # of the difference of two means of 100 geometric lengths
    assert abs(ours - theirs) / 100 < 4 * error


def test_greedy_texts_and_verdicts_of_the_reference_are_those_of_our_engine(bench: Workbench) -> None:
    prompts = bench.prompts("belief", 4)
    drawing = {"max_new_tokens": 6, "temperature": 0.0, "top_p": 1.0, "seed": 0}
    with bench.subject.plain():
        reference = ReferenceLM(bench.subject)
        texts = reference.sample(prompts, 2, **drawing)  # type: ignore[arg-type]
        scores = reference.choose(prompts, bench.subject.prompts.answers)
    lm = bench.subject.fresh()
    assert lm.sample(prompts, 2, **drawing) == texts  # type: ignore[arg-type]
    np.testing.assert_allclose(lm.choose(prompts, bench.subject.prompts.answers), scores, atol=1e-5)


def test_the_references_verifier_scores_as_ours(bench: Workbench) -> None:
    pairs = bench.pairs(9)
    reference = ReferenceVerifier(bench.verifier_checkpoint)
    np.testing.assert_allclose(reference.predict(pairs), bench.verifier.predict(pairs), atol=1e-5)


def test_other_peoples_code_gets_the_model_as_it_was_loaded(bench: Workbench) -> None:
    model = bench.subject.checkpoint.model
    chooser = Chooser(bench, bench.prompts("verdict", 2))
    with chooser.around():
        chooser.work()
    ours = model.config._attn_implementation, model.generation_config
    assert ours[0] != "sdpa"
    with bench.subject.plain():
        assert model.config._attn_implementation == "sdpa"
    assert (model.config._attn_implementation, model.generation_config) == ours


def test_pairs_can_come_from_a_file_of_trees(bench: Workbench, tmp_path: Path) -> None:
    file = tmp_path / "trees.jsonl"
    file.write_text("".join(f"{tree.to_json()}\n" for tree in reversed(bench.trees)), encoding="utf-8")
    given_file = Workbench(
        bench.subject, bench.verifier_checkpoint, bench.verifier, bench.clock, 2, NEW_TOKENS, file
    )
    assert given_file.pairs(20) == bench.pairs(20)


# -- counting ------------------------------------------------------------------------------------------


def test_what_choose_computes_is_the_examples_once_and_each_prompts_own_tokens(bench: Workbench) -> None:
    prompts = bench.prompts("verdict", 6)
    rows = bench.subject.tokens(prompts)
    chooser = Chooser(bench, prompts)
    with chooser.around():
        chooser.work()  # reads the examples
        with counted(bench.subject.checkpoint.model) as work:
            chooser.work()
    saved = sum(map(len, rows)) - work.tokens
    assert saved > 0
    assert saved % len(rows) == 0
    shared = saved // len(rows)
    expected = sum(sum(range(shared + 1, len(row) + 1)) for row in rows)  # each token sees all before it
    assert work.contexts == expected
    assert work.passes == 1


def test_the_operations_of_a_pass_are_two_a_weight_and_four_a_number_attended_to(bench: Workbench) -> None:
    sizes = Sizes.of(bench.subject.checkpoint.model)
    layer = 64 * 64 * 2 + 64 * 32 * 2 + 3 * 64 * 128  # q, o; k, v of half the heads; the three of the MLP
    assert (sizes.body, sizes.head) == (2 * layer, 4096 * 64)
    assert (sizes.attended, sizes.cached, sizes.bytes) == (2 * 64, 2 * 2 * 32, 4)


def test_decoding_steps_are_counted_apart_from_the_prompts(bench: Workbench) -> None:
    decoding = Decoding(bench)
    steps, prefix = decoding.steps()
    assert steps.passes == NEW_TOKENS - 1
    assert steps.tokens == steps.predictions == decoding.texts * (NEW_TOKENS - 1)
    assert prefix > 100


# -- timing --------------------------------------------------------------------------------------------


@pytest.fixture
def ticks(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """A clock that stands still until it is told how many seconds have passed."""
    now = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])

    def passed(seconds: float) -> None:
        now[0] += seconds

    return passed


def test_sides_take_turns_and_every_second_round_begins_with_the_last(
    ticks: Callable[[float], None],
) -> None:
    order: list[str] = []

    def side(name: str, seconds: float) -> Side:
        def work() -> float:
            order.append(name)
            ticks(seconds)
            return 10

        return Side(name, work)

    first, second = Clock(CPU, 3).interleaved(side("a", 2), side("b", 5))
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert (first.values, first.seconds) == ((5, 5, 5), (2, 2, 2))
    assert second.median == 2


def test_the_fastest_setting_is_kept_and_one_that_fails_passed_over(ticks: Callable[[float], None]) -> None:
    def working(seconds: float) -> Callable[[], float]:
        def work() -> float:
            ticks(seconds)
            return 1

        return work

    def failing() -> float:
        raise RuntimeError("no such\nkernel")

    sides = [
        Side("s", working(3), details={"size": 1}),
        Side("s", failing, details={"size": 2}),
        Side("s", working(2), details={"size": 3}),
    ]
    best, _ = Clock(CPU, 1).fastest(sides)
    assert best is not None
    assert best.details["size"] == 3
    assert [tried["size"] for tried in best.details["tried"]] == [1, 3]
    assert Clock(CPU, 1).fastest(sides[1:2]) == (None, "RuntimeError: no such")


# -- the table -----------------------------------------------------------------------------------------


def test_a_ratio_is_ours_over_the_other_by_their_medians() -> None:
    row = Row("choose", "w", "per second", Series("a", (1, 9, 6)), Series("b", (2, 3, 50)), "")
    assert row.ratio == 2
    assert Row("choose", "w", "per second", Series("a", (1,)), None, "", "why").ratio is None


def read_json(output: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(output)
    return found


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """The command in this process, on tiny models."""
    from typer.testing import CliRunner

    from maieutic.benchmarks.throughput.__main__ import app

    def run(*arguments: str | Path) -> Any:
        tiny = ["--random-weights", "tiny", "--random-verifier", "tiny", "--dtype", "float32"]
        sizes = ["--questions", "2", "--repeats", "1", "--new-tokens", "3", "--device", "cpu"]
        return CliRunner().invoke(app, [*tiny, *sizes, *map(str, arguments)])

    yield run


@pytest.mark.usefixtures("without_packages")
def test_every_section_runs_without_the_packages_it_compares_with(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    out = tmp_path / "speed.json"
    done = run("--json", "--out", out)
    assert done.exit_code == 0, done.output
    found = read_json(done.stdout)
    assert found == read_json(out.read_text(encoding="utf-8"))
    assert {row["section"] for row in found["rows"]} == set(SECTIONS)
    machine = {"device", "cpu", "cores", "threads", "torch", "transformers", "lm_eval"}
    assert machine <= found["machine"].keys()
    for model in (found["lm"], found["verifier"]):
        assert model["dtype"] == "float32"
        assert model["hidden_size"] == 64
        assert model["parameters"] > 0
    rows = {(row["section"], row["other"] and row["other"]["name"]): row for row in found["rows"]}
    questions = rows["questions", "one call per request"]
    assert questions["ratio"] == pytest.approx(questions["ours"]["median"] / questions["other"]["median"])
    assert len(questions["ours"]["values"]) == len(questions["ours"]["seconds"]) == 1
    for section, package in (("choose", "lm_eval"), ("verifier", "sentence_transformers")):
        alone = rows[section, None]
        assert alone["missing"] == f"{package} is not installed: pip install 'maieutic[throughput]'"
        assert alone["ours"]["median"] > 0
    drawn = [row for row in found["rows"] if row["section"] == "generate"]
    assert len(drawn) == 4
    assert all(row["other"] or row["missing"].startswith("does not run on cpu") for row in drawn)
    assert sum("generate of transformers" in (row["other"] or {"name": ""})["name"] for row in drawn) == 2


def test_some_sections_can_be_picked_and_a_pipe_gets_markdown(run: Callable[..., Any]) -> None:
    done = run("--only", "cost")
    assert done.exit_code == 0, done.output
    table = [line for line in done.stdout.splitlines() if line.startswith("| ")]
    assert table[0] == "| what | maieutic | the other | ratio | compared |"
    text = "\n".join(table)
    for promised in (
        "tokens read and drawn",
        "time, ms per question",
        "step: elicit, belief",
        "step: relate",
        "step: solve",
        "choose, of the matrix rate",
        "decoding, of the memory bandwidth",
        "most memory",
    ):
        assert promised in text
    assert "questions answered" not in text


def test_the_markdown_table_says_what_is_missing() -> None:
    about = {
        "machine": {"device": "d", "threads": 1, "torch": "t", "transformers": "u"},
        "lm": {"name": "n", "parameters": 1, "dtype": "float32", "tokenizer": "its own", "prompts": "paper"},
        "verifier": {"name": "v", "parameters": 1, "dtype": "float32"},
        "repeats": 3,
    }
    row = Row("choose", "a|b", "per second", Series("maieutic", (12345.6,)), None, "how", "not there")
    assert as_markdown(about, [row]).splitlines()[-1] == "| a\\|b, per second | 12,346 | not there |  | how |"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--questions", "3"], "--questions must be even"),
        (["--only", "choose,speed"], "'speed' is no section; use some of cost, questions"),
        (["--random-weights", "huge"], "'huge' is no shape; use tiny, smollm2-135m"),
        (["--random-weights", __file__], "is no config.json"),
        (["--out", __file__], "give a new file"),
    ],
    ids=lambda value: value[0].lstrip("-") if isinstance(value, list) else "",
)
def test_what_cannot_be_used_is_one_clear_error(
    run: Callable[..., Any], arguments: list[str], message: str
) -> None:
    done = run(*arguments)
    assert message in str(done.exception)


def test_any_config_file_gives_a_shape(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    fields = {
        "model_type": "gpt2",
        "n_embd": 32,
        "n_layer": 1,
        "n_head": 2,
        "vocab_size": 4096,
        "n_positions": 1024,
        "eos_token_id": 4000,
        "architectures": ["GPT2LMHeadModel"],
    }
    file.write_text(json.dumps(fields), encoding="utf-8")
    subject = open_subject("", str(file), "auto", CPU, torch.bfloat16)
    assert subject.about["model_type"] == "gpt2"
    assert {weight.dtype for weight in subject.checkpoint.model.parameters()} == {torch.bfloat16}
    assert subject.vocabulary.ends == [subject.checkpoint.tokenizer.eos_token_id]
    file.write_text(json.dumps({**fields, "vocab_size": 300}), encoding="utf-8")
    with pytest.raises(ModelError, match="knows fewer than the"):
        open_subject("", str(file), "auto", CPU, torch.bfloat16)


# -- other people's packages, where they are installed -------------------------------------------------


@pytest.mark.filterwarnings("default")
def test_the_evaluation_harness_scores_the_same_prompts_alike(bench: Workbench) -> None:
    pytest.importorskip("lm_eval.models.huggingface", reason="lm_eval is not installed")
    (row,) = choose_rows(bench)
    assert row.missing == ""
    assert row.ours is not None
    assert row.ours.details["largest_difference"] < 1e-5
    assert row.ratio is not None


@pytest.mark.filterwarnings("default")
def test_the_cross_encoder_scores_the_same_pairs_alike(bench: Workbench) -> None:
    pytest.importorskip("sentence_transformers", reason="sentence_transformers is not installed")
    same, _default = verifier_rows(bench)
    assert same.missing == ""
    assert same.ours is not None
    assert same.ours.details["largest_difference"] < 1e-5


def test_a_working_model_refuses_what_is_not_in_its_script(bench: Workbench) -> None:
    working = Working(bench.subject.fresh(), bench.script, bench.subject.prompts.answers)
    stranger = bench.subject.prompts.negate("Ice is cold.")
    with pytest.raises(KeyError):
        working.sample([stranger], 1, max_new_tokens=1, temperature=0.0, top_p=1.0, seed=0)
