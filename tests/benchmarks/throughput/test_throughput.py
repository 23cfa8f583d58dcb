"""The throughput benchmark: both sides do the same work, every part runs, the record holds what it must."""

from __future__ import annotations

import gc
import json
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from maieutic.benchmarks.throughput import answering, generating, hardware, scoring
from maieutic.benchmarks.throughput.__main__ import SECTIONS, app, program
from maieutic.benchmarks.throughput.answering import REFERENCE_QUESTIONS, Answering
from maieutic.benchmarks.throughput.clock import Clock, Side
from maieutic.benchmarks.throughput.generating import Drawer, Generate, bare, drawn_tokens, few_shot
from maieutic.benchmarks.throughput.hardware import Sizes
from maieutic.benchmarks.throughput.models import random_lm, random_verifier
from maieutic.benchmarks.throughput.reference import ReferenceLM
from maieutic.benchmarks.throughput.scoring import Chooser, choose_rows, verifier_rows
from maieutic.benchmarks.throughput.script import sentence, write_script
from maieutic.benchmarks.throughput.table import Series, TableRow
from maieutic.benchmarks.throughput.workbench import Subject, Workbench
from maieutic.bundled import bundled_folder
from maieutic.config import REFERENCE
from maieutic.elicit import elicit
from maieutic.errors import ModelError
from maieutic.lm.base import SamplingParams
from maieutic.prompts import load_prompts
from maieutic.usage import Usage

CPU = torch.device("cpu")
NEW_TOKENS = 3
PAPER = load_prompts("paper")


def silent(_line: str) -> None:
    """Hears of every run."""


@pytest.fixture(autouse=True, scope="module")
def _little() -> Iterator[None]:
    """One thread, few settings to try, small matrices: the models are tiny and the machine may be busy."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    gc.freeze()  # continuous batching collects garbage at every end: not among the libraries' objects
    with pytest.MonkeyPatch.context() as patch:
        for sizes in (scoring.PROMPT_BATCHES, scoring.PAIR_BATCHES, generating.BATCH_SIZES):
            patch.setitem(sizes, "cpu", (16,))
        patch.setitem(generating.BATCH_TOKENS, "cpu", (512,))
        patch.setitem(hardware.MATRIX, "cpu", 64)
        patch.setitem(hardware.COPIED, "cpu", 2**16)
        yield
    gc.unfreeze()
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """Tiny models with random weights in float32, two questions, one repeat."""
    subject = Subject(random_lm("tiny", CPU, torch.float32, PAPER), "paper", random=True)
    verifier = random_verifier("tiny", CPU, torch.float32, tmp_path_factory.mktemp("verifier"))
    return Workbench(subject, verifier, Clock(CPU, 1, silent), 2, NEW_TOKENS)


# -- the work ------------------------------------------------------------------------------------------


@given(st.sets(st.integers(0, 10**6), min_size=2, max_size=20))
def test_no_two_sentences_are_alike_and_none_is_its_negation(numbers: set[int]) -> None:
    made = [sentence(number) for number in numbers]
    texts = [text for one in made for text in (one.affirmed, one.denied)]
    assert len(set(texts)) == 2 * len(numbers)
    assert all(text.endswith(".") and "\n" not in text for text in texts)


def test_the_longest_pair_of_a_large_run_fits_the_bundled_verifier() -> None:
    from transformers import AutoTokenizer

    made = [sentence(number) for number in range(7500)]  # 256 questions ask for 7168
    texts = [text for one in made for text in (one.affirmed, one.denied)]
    tokenizer = AutoTokenizer.from_pretrained(bundled_folder("agora-nli"))
    longest = max(map(len, tokenizer(texts, add_special_tokens=False)["input_ids"]))
    assert 2 * longest + tokenizer.num_special_tokens_to_add(pair=True) <= 128  # its window


@pytest.mark.parametrize("prompt_set", ["paper", "chat", "agora"])
def test_the_script_grows_a_root_alone_and_a_tree_of_the_papers_shape_in_turns(prompt_set: str) -> None:
    prompts, config = load_prompts(prompt_set), REFERENCE
    script = write_script(4, prompts, config)
    trees = [growth.tree for growth in elicit(script.questions, script.model(prompts), prompts, config)]
    sizes = [len(tree.nodes) + len(tree.pruned) for tree in trees]
    assert sizes == [1, 13, 1, 13]
    assert not any(tree.discarded for tree in trees)
    children = Counter((node.parent, node.side) for node in (*trees[1].nodes, *trees[1].pruned))
    assert sorted(Counter(children.values()).items()) == [(1, 7), (3, 2)]  # the root, 6 at depth 2; 3 a side


def test_both_sides_ask_for_all_of_the_script_once_and_grow_its_trees(bench: Workbench) -> None:
    ours, reference = (Answering(bench, REFERENCE_QUESTIONS, ours=side) for side in (True, False))
    for side in (ours, reference):
        with side.around():
            assert side.work() == REFERENCE_QUESTIONS

    def asked(side: Answering) -> Counter[Any]:
        calls = side.runs[-1].calls
        return Counter(
            (call.kind, prompt, call.n, call.new_tokens) for call in calls for prompt in call.prompts
        )

    assert asked(ours) == asked(reference)
    script = bench.script
    assert Counter(script.kinds.values()) == {"negate": 14, "belief": 28, "verdict": 28, "explain": 8}
    drawn = [
        (script.kinds[prompt], prompt, len(texts), NEW_TOKENS) for prompt, texts in script.replies.items()
    ]
    assert asked(ours) == Counter([*drawn, *(("verdict", prompt, 0, 0) for prompt in script.verdicts)])
    for side in (ours, reference):
        assert [answer.tree for answer in side.runs[-1].answers] == bench.trees
    assert len(ours.runs[-1].calls) < len(reference.runs[-1].calls)
    usages = [sum((call.usage for call in side.runs[-1].calls), Usage()) for side in (ours, reference)]
    assert usages[0] == usages[1]
    assert usages[0].generated_tokens == NEW_TOKENS * sum(map(len, script.replies.values()))


def test_greedy_texts_and_verdicts_of_the_reference_are_those_of_our_engine(bench: Workbench) -> None:
    prompts, options = bench.prompts("belief", 4), bench.subject.prompts.answers
    params = SamplingParams(6)
    reference = ReferenceLM(bench.subject)
    with bench.subject.plain():
        completions = reference.sample(prompts, 2, params)
        theirs = reference.choose(prompts, options)
    lm = bench.subject.fresh()
    assert lm.sample(prompts, 2, params) == completions
    ours = lm.choose(prompts, options)
    np.testing.assert_allclose(ours.probabilities, theirs.probabilities, rtol=1e-4)
    assert ours.prompt_tokens == theirs.prompt_tokens


def test_no_text_ends_before_its_limit_on_either_side(bench: Workbench) -> None:
    load = bare(bench)
    for side in (Drawer(bench, load), Generate(bench, load, batch_size=3)):
        with side.around():
            assert side.work() == load.texts * NEW_TOKENS


def test_texts_of_random_weights_can_be_made_to_differ_in_length(bench: Workbench) -> None:
    load = replace(few_shot(bench), n=60, longest=30, ends=lambda: bench.subject.ending(5))
    ours, other = Drawer(bench, load), Generate(bench, load, batch_size=60)
    with drawn_tokens() as lengths, ours.around():
        tokens = ours.work()
    with other.around():
        theirs = other.work()
    assert len(lengths) == load.texts == 60
    assert len(set(lengths)) > 5
    assert 3 < np.mean(lengths) < 8
    error = math.sqrt(2 * 5 * 4 / 60)  # of the difference of two means of 60 geometric lengths
    assert abs(tokens - theirs) / 60 < 4 * error


def test_other_peoples_code_gets_the_model_as_it_was_loaded(bench: Workbench) -> None:
    model = bench.subject.checkpoint.model
    bench.subject.fresh().choose(bench.prompts("verdict", 2), bench.subject.prompts.answers)
    ours = model.config._attn_implementation, model.generation_config
    assert ours[0] != "sdpa"
    with bench.subject.plain():
        assert model.config._attn_implementation == "sdpa"
    assert (model.config._attn_implementation, model.generation_config) == ours


# -- counting ------------------------------------------------------------------------------------------


def test_what_choose_computes_is_the_examples_once_and_each_prompts_own_tokens(bench: Workbench) -> None:
    prompts = bench.prompts("verdict", 6)
    rows = bench.subject.tokens(prompts)
    chooser = Chooser(bench, prompts)
    with chooser.around():
        chooser.work()
    shared = max(place for place in range(len(rows[0])) if len({row[:place] for row in rows}) == 1)
    read = chooser.computed
    own = [sum(range(len(row) + 1)) for row in rows]  # each token sees all before it
    examples = sum(map(len, rows)) - read.tokens  # read once instead of in every row, and twice in a trial
    assert 0 < examples < shared * len(rows)
    assert read.contexts < sum(own)


def test_steps_after_the_first_tokens_are_a_token_for_each_text(bench: Workbench) -> None:
    load = bare(bench)
    whole, begun = Drawer(bench, load), Drawer(bench, replace(load, longest=1))
    for drawer in (whole, begun):
        with drawer.around():
            drawer.work()
    steps = whole.computed - begun.computed
    assert steps.passes == NEW_TOKENS - 1
    assert steps.tokens == steps.predictions == load.texts * (NEW_TOKENS - 1)
    lengths = map(len, bench.subject.tokens(load.prompts))
    assert steps.contexts == sum(length + step for length in lengths for step in range(1, NEW_TOKENS))


def test_the_operations_of_a_pass_are_two_a_weight_and_four_a_number_attended_to(bench: Workbench) -> None:
    sizes = Sizes.of(bench.subject.checkpoint.model)
    layer = 64 * 64 * 2 + 64 * 32 * 2 + 3 * 64 * 128  # q, o; k, v of half the heads; the three of the MLP
    assert (sizes.body, sizes.head) == (2 * layer, 4096 * 64)
    assert (sizes.attended, sizes.cached, sizes.bytes) == (2 * 64, 2 * 2 * 32, 4)
    work = hardware.Work(tokens=7, contexts=11, predictions=2, passes=3)
    assert sizes.operations(work) == 2 * (7 * sizes.body + 2 * sizes.head) + 4 * 11 * sizes.attended
    assert sizes.bytes_read(work) == 4 * (3 * (sizes.body + sizes.head) + 11 * sizes.cached)


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

    first, second = Clock(CPU, 3, silent).interleaved(side("a", 2), side("b", 5))
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

    works = [working(3), failing, working(2)]
    sides = [Side("s", work, details={"size": place}) for place, work in enumerate(works, 1)]
    told: list[str] = []
    best, _ = Clock(CPU, 1, told.append).fastest(sides)
    assert best is not None
    assert best.details["size"] == 3
    assert [tried["size"] for tried in best.details["tried"]] == [1, 3]
    assert told == [
        "  s, size 1: trial, 3.0 s",
        "  s does not run: RuntimeError: no such; {'size': 2}",
        "  s, size 3: trial, 2.0 s",
    ]
    assert Clock(CPU, 1, silent).fastest(sides[1:2]) == (None, "s does not run: RuntimeError: no such")


def test_a_ratio_is_ours_over_the_other_by_their_medians() -> None:
    row = TableRow("choose", "w", "per second", Series("a", (1, 9, 6)), Series("b", (2, 3, 50)), "")
    assert row.ratio == 2
    assert replace(row, other=None).ratio is None


# -- a whole run ---------------------------------------------------------------------------------------

OPTIONS = {
    "random-weights": "tiny",
    "dtype": "float32",
    "device": "cpu",
    "questions": 2,
    "repeats": 1,
    "new-tokens": NEW_TOKENS,
}


def options() -> list[str]:
    """Of a small run."""
    return [part for name, value in OPTIONS.items() for part in (f"--{name}", str(value))]


class Done(NamedTuple):
    """What a run of all sections left."""

    table: list[list[str]]
    record: dict[str, Any]
    progress: str


@pytest.fixture(scope="module")
def done(bench: Workbench, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """A run on a machine that has none of the packages to compare with."""
    from typer.testing import CliRunner

    out = tmp_path_factory.mktemp("out") / "speed.json"
    arguments = [*options(), "--nli", str(bench.verifier.folder), "--out", str(out)]
    with pytest.MonkeyPatch.context() as patch:
        for name in ("lm_eval", "sentence_transformers"):
            for module in (name, *(known for known in sys.modules if known.startswith(f"{name}."))):
                patch.setitem(sys.modules, module, None)
        patch.setattr(answering, "REFERENCE_QUESTIONS", 1)  # the one that is settled at its root
        found = CliRunner().invoke(app, arguments)
    assert found.exit_code == 0, found.output
    lines = [line.strip("|").split("|") for line in found.stdout.splitlines() if line.startswith("|")]
    table = [[cell.strip() for cell in cells] for cells in lines]
    return Done(table, json.loads(out.read_text(encoding="utf-8")), found.stderr)


def test_every_section_runs_and_the_rows_of_the_table_are_those_of_the_record(done: Done) -> None:
    rows = done.record["rows"]
    assert {row["section"] for row in rows} == set(SECTIONS)
    assert done.table[0] == ["", "what", "unit", "maieutic", "the other", "ratio"]
    assert [cells[1:3] for cells in done.table[2:]] == [[row["what"], row["unit"]] for row in rows]
    for row, cells in zip(rows, done.table[2:], strict=True):
        assert float(cells[3].replace(",", "")) == pytest.approx(row["medians"][0], rel=0.005)
        assert bool(cells[5]) == (row["other"] is not None)
    for section in SECTIONS:
        assert f"\n{section} (" in f"\n{done.progress}"


def test_the_record_has_every_repeat_with_its_median_and_what_was_measured_with(done: Done) -> None:
    for row in done.record["rows"]:
        for place, side in enumerate((row["ours"], row["other"])):
            if side:
                assert row["medians"][place] == median(side["values"])
                assert len(side["seconds"]) in (0, 1)
        if row["other"]:
            assert row["ratio"] == pytest.approx(row["medians"][0] / row["medians"][1])
    assert {"device", "processor", "cores", "threads"} <= done.record["machine"].keys()
    assert {"maieutic", "torch", "transformers", "lm_eval"} <= done.record["versions"].keys()
    for model in (done.record["lm"], done.record["verifier"]):
        assert (model["dtype"], model["hidden_size"]) == ("float32", 64)


def test_a_package_that_is_missing_is_said_in_the_row_and_ours_is_measured_alone(done: Done) -> None:
    for section, package in (("choose", "lm_eval"), ("verifier", "sentence_transformers")):
        row = next(row for row in done.record["rows"] if row["section"] == section)
        assert row["other"] is None
        assert row["missing"] == f"{package} is not installed: pip install 'maieutic[throughput]'"
        assert row["medians"][0] > 0


def test_the_cost_in_tokens_is_every_prompt_again_for_every_text(done: Done, bench: Workbench) -> None:
    rows = {row["what"]: row for row in done.record["rows"]}

    def tokens(prompt: Any) -> int:
        return len(bench.subject.tokens([prompt])[0])

    drawn = sum(len(texts) * (tokens(prompt) + NEW_TOKENS) for prompt, texts in bench.script.replies.items())
    paid = drawn + sum(map(tokens, bench.script.verdicts))
    direct = sum(tokens(bench.subject.prompts.direct(question)) for question in bench.script.questions)
    assert rows["tokens read and drawn"]["medians"] == [paid / 2, direct / 2]
    computed = rows["tokens computed"]["medians"]
    assert computed[0] < paid / 2
    assert computed[0] > computed[1] > 0


def test_the_shares_of_the_steps_make_up_the_whole_time(done: Done) -> None:
    steps = [row["ours"]["values"] for row in done.record["rows"] if row["what"].startswith("step: ")]
    assert len(steps) == 7
    for shares in zip(*steps, strict=True):
        assert sum(shares) == pytest.approx(100)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--questions", "3"], "--questions"),
        (["--only", "choose,speed"], "'speed'"),
        (["--random-weights", "huge"], "'huge'"),
        (["--random-weights", __file__], __file__),
        (["--out", __file__], "--out"),
        (["--repeats", "0"], "'--repeats'"),
    ],
    ids=lambda value: value[0].lstrip("-") if isinstance(value, list) else "",
)
def test_what_cannot_be_used_is_one_clear_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["throughput", *options(), *arguments])
    with pytest.raises(SystemExit) as ended:
        program()
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


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
    checkpoint = random_lm(str(file), CPU, torch.bfloat16, PAPER)
    assert checkpoint.model.config.model_type == "gpt2"
    assert {weight.dtype for weight in checkpoint.model.parameters()} == {torch.bfloat16}
    assert Subject(checkpoint, "paper", random=True).vocabulary.ends == [checkpoint.tokenizer.eos_token_id]
    file.write_text(json.dumps({**fields, "vocab_size": 300}), encoding="utf-8")
    with pytest.raises(ModelError) as refused:
        random_lm(str(file), CPU, torch.bfloat16, PAPER)
    assert refused.value.subject == str(file)


# -- other people's packages, where they are installed -------------------------------------------------


@pytest.mark.filterwarnings("default")
def test_the_evaluation_harness_scores_the_same_prompts_alike(bench: Workbench) -> None:
    pytest.importorskip("lm_eval.models.huggingface", reason="lm_eval is not installed")
    row = choose_rows(bench)[0]
    assert row.missing == ""
    assert row.ours.details["largest_difference"] < 1e-4  # nats
    assert row.ratio is not None


@pytest.mark.filterwarnings("default")
def test_the_cross_encoder_scores_the_same_pairs_alike(bench: Workbench) -> None:
    pytest.importorskip("sentence_transformers", reason="sentence_transformers is not installed")
    (row,) = verifier_rows(bench)
    assert row.missing == ""
    assert row.ours.details["largest_difference"] < 1e-5
    assert row.ratio is not None
