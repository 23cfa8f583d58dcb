"""``maieutic ask``, from the command line to the last line it prints, with tiny models."""

from __future__ import annotations

import io
import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess

import networkx as nx
import pytest
import torch

from maieutic import models as opening
from maieutic.answer import NOTHING_JUDGED, Answer, Seconds
from maieutic.cli.ask import _check_quotes
from maieutic.cli.outputs import Outputs
from maieutic.errors import ContextLengthError, FileFormatError, InputError, ModelError
from maieutic.inference import Literal
from maieutic.lm.base import Prompt
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.pipeline import BATCH_SIZE
from maieutic.solvers import read_wcnf

Run = Callable[..., "CompletedProcess[str]"]
Refuse = Callable[..., InputError]

REFERENCE_GROWTH = ("--growth", "reference", "--prune", "--belief", "direct")
QUICK = ("--depth", "0", "--belief", "direct", "--device", "cpu", "--dtype", "float32")
STOP = "Stop."  # interrupts the scripted model


@pytest.fixture
def ask(run: Run) -> Run:
    """Run the command in this process: ``ask(*arguments, stdin=b"")``, None for a closed one."""
    return partial(run, "ask")


@pytest.fixture
def refuse_ask(refuse: Refuse) -> Refuse:
    """Run the command on bad input: ``refuse_ask(*arguments, stdin=b"", stdout="")`` returns the error."""
    return partial(refuse, "ask")


@pytest.fixture
def models(wide_folder: Path, nli_folder: Path) -> tuple[str, ...]:
    """The options that name the tiny models, and those that keep them quick."""
    return ("--lm", str(wide_folder), "--nli", str(nli_folder), *QUICK)


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """The options of scripted models: they waver on penguins, and the weights decide."""

    def reply(prompt: Prompt, _index: int) -> str:
        statement = prompt.query.partition(": ")[2]
        replies = {
            "Statement:": " Penguins fly.",
            "Negation:": f" It is false that {statement}",
            "A: True, because": " they have [bold]wings[/bold] \x1b[31m.",
            "A: False, because": " penguins are heavy.",
        }
        return replies[prompt.opening]

    def probability(prompt: Prompt, option: str) -> float:
        if STOP.removesuffix(".") in prompt.query:
            raise KeyboardInterrupt
        p = 0.05 if " not " in prompt.query else 0.95
        p = 0.6 if "enguins" in prompt.query and " fly" in prompt.query else p
        return p if option == " true" else 1 - p

    def judge(premise: str, hypothesis: str) -> str:
        both = (premise, hypothesis) == ("Penguins are heavy.", "Penguins fly.")
        return "contradiction" if both else "neutral"

    monkeypatch.setattr(opening, "load_lm", lambda *_, **__: ScriptedLanguageModel(reply, probability))
    monkeypatch.setattr(opening, "load_verifier", lambda *_, **__: ScriptedVerifier(judge))
    return ("--lm", "scripted", "--nli", "scripted", *REFERENCE_GROWTH, "--no-priors", "--depth", "1")


def answers(printed: str) -> list[Answer]:
    """The answers that were printed as JSON; there must be nothing else."""
    lines = printed.split("\n")
    assert lines.pop() == ""
    return [Answer.from_json(line) for line in lines]


def questions(done: CompletedProcess[str]) -> list[str]:
    return [answer.question for answer in answers(done.stdout)]


# -- what is printed -----------------------------------------------------------------------------------


def test_people_get_the_decision_its_reasons_and_the_models(
    ask: Run, models: tuple[str, ...], wide_folder: Path, nli_folder: Path
) -> None:
    done = ask("The sky is blue.", "Ice is cold.", *models)
    first, second = re.split(r"─{50,}", done.stdout)
    for part, statement in ((first, "The sky is blue."), (second, "Ice is cold.")):
        head, *rest = part.strip().splitlines()
        assert re.match(r"(True|False|Unsure)\. ", head)
        assert re.search(rf"{statement[:6]}.*{statement[-5:-1]}", head)
        assert any(str(wide_folder) in line and str(nli_folder) in line for line in rest)


def test_the_heavier_reason_decides_and_is_shown(ask: Run, scripted: tuple[str, ...]) -> None:
    out = ask("Do penguins fly?", *scripted).stdout
    assert out.startswith("Rather no. Penguins do not fly (")
    assert "1. “Penguins are heavy.” [if it were false: " in out
    verbose = ask("Do penguins fly?", "--verbose", *scripted).stdout
    assert verbose.startswith(out)
    assert "Do penguins fly?\nFALSE  Penguins fly.\n" in verbose
    assert "QF0 true   False, because: Penguins are heavy." in verbose
    assert "QF0 contradicts Q" in verbose
    (answer,) = answers(ask("Do penguins fly?", "--json", *scripted).stdout)
    assert (answer.question, answer.statement) == ("Do penguins fly?", "Penguins fly.")
    assert answer.labels == {"Q": False, "QT0": True, "QF0": True}


EXPLAINED = {"Q", "QT0", "QF0"}


@pytest.mark.parametrize(
    ("options", "terminal", "explained"),
    [
        ([], True, True),
        (["--no-explain"], True, False),
        (["--json"], True, False),
        ([], False, False),
        (["--explain"], False, True),
        (["--explain", "--json"], False, True),
        (["Snow is cold."], True, False),
        (["-"], True, False),
    ],
)
def test_one_question_at_a_terminal_is_explained_where_the_model_is_sure_too(
    ask: Run,
    scripted: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    terminal: bool,
    explained: bool,
) -> None:
    class Input(io.TextIOWrapper):
        def isatty(self) -> bool:
            return terminal

    monkeypatch.setattr(io, "TextIOWrapper", Input)
    grown: list[Answer] = []
    collect = Outputs.collect

    def keep(outputs: Outputs, found: Iterable[Answer]) -> Iterator[Answer]:
        for answer in collect(outputs, found):
            grown.append(answer)
            yield answer

    monkeypatch.setattr(Outputs, "collect", keep)
    anytime = (*scripted[:4], "--no-priors", "--depth", "1", "--confidence", "0")
    assert ask("Penguins fly.", *options, *anytime).returncode == 0
    for answer in grown:
        assert ({node.id for node in answer.tree.nodes} == EXPLAINED) == explained


def test_json_is_one_answer_a_line_in_the_order_of_the_statements_and_nothing_else(
    ask: Run, models: tuple[str, ...]
) -> None:
    done = ask("The sky is blue.", "-", "Ice is hot.", "--json", *models, stdin=b"Is it?\n\n \r\nSo it is.\n")
    assert questions(done) == ["The sky is blue.", "Is it?", "So it is.", "Ice is hot."]


def test_a_model_that_judged_nothing_gives_no_answer_that_looks_right(
    ask: Run, scripted: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    lm = opening.open_lm("scripted")
    assert isinstance(lm, ScriptedLanguageModel)
    lm.probability = lambda *_: 0.01
    monkeypatch.setattr(opening, "load_lm", lambda *_, **__: lm)
    done = ask("Penguins fly.", "--json", *scripted)
    assert done.returncode == 0
    assert "judged nothing" in done.stderr
    (answer,) = answers(done.stdout)
    assert answer.unsure
    assert answer.warnings == (NOTHING_JUDGED,)
    shown = ask("Penguins fly.", *scripted).stdout
    assert shown.startswith("Unsure.")
    assert NOTHING_JUDGED.partition(":")[0] in shown


def test_texts_of_a_model_cannot_control_the_terminal(ask: Run, scripted: tuple[str, ...]) -> None:
    shown = ask("Penguins fly.", *scripted).stdout
    assert "\x1b" not in shown
    assert r"They have [bold]wings[/bold] \x1b[31m." in shown
    (answer,) = answers(ask("Penguins fly.", "--json", *scripted).stdout)
    assert answer.tree.by_id["QT0"].statement == "They have [bold]wings[/bold] \x1b[31m."


def test_no_lines_on_standard_input_get_no_answers(ask: Run, scripted: tuple[str, ...]) -> None:
    done = ask("-", *scripted)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_progress_is_shown_on_a_terminal_and_never_among_the_answers(
    ask: Run, scripted: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    done = ask("Penguins fly.", "Ice is cold.", "--json", *scripted)
    assert "reasoning" in done.stderr
    assert questions(done) == ["Penguins fly.", "Ice is cold."]


# -- options -------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_answer_and_another_seed_other_texts(
    ask: Run, models: tuple[str, ...]
) -> None:
    seeded = []
    for seed in ("1", "1", "2"):
        done = ask("The sky is blue.", "--json", *models, *REFERENCE_GROWTH, "--depth", "1", "--seed", seed)
        seeded += [replace(answer, seconds=Seconds()) for answer in answers(done.stdout)]
    assert seeded[0] == seeded[1]
    assert seeded[0].tree.discarded != seeded[2].tree.discarded


def test_without_depth_nothing_is_explained(ask: Run, scripted: tuple[str, ...]) -> None:
    done = ask("Ice is cold.", "Penguins fly.", "--json", *scripted, "--depth", "0")
    assert [answer.tree.kind for answer in answers(done.stdout)] == ["one-node", "empty"]


def test_votes_are_counted_where_vote_inference_is_asked_for(ask: Run, scripted: tuple[str, ...]) -> None:
    (answer,) = answers(ask("Penguins fly.", "--json", "--inference", "vote", *scripted).stdout)
    verdict = answer.verdict
    assert (verdict.inference, verdict.margin_unit) == ("vote", "votes")
    assert verdict.votes == {Literal("QT0"): 0, Literal("QF0"): -1}


def test_the_priors_of_a_model_are_named_and_subtracted_unless_they_are_off(
    ask: Run, scripted: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    credulous = ScriptedLanguageModel(
        lambda *_: " So be it.", lambda _, option: 0.8 if option == " true" else 0.2
    )
    monkeypatch.setattr(opening, "load_lm", lambda *_, **__: credulous)
    options = ("Ice is cold.", *scripted, "--depth", "0", "--json")
    (shown,), (plain,) = (answers(ask(*options, switch).stdout) for switch in ("--priors", "--no-priors"))
    assert plain.models.priors is None
    assert shown.models.priors is not None
    assert shown.models.priors.statement == pytest.approx(math.log(4))
    assert shown.p_true == pytest.approx(0.5)
    assert shown.tree == plain.tree  # which keeps what was read


def test_the_language_model_can_be_its_own_verifier(
    ask: Run, models: tuple[str, ...], wide_folder: Path
) -> None:
    (answer,) = answers(ask("Ice is cold.", "--json", *models, "--nli", "lm").stdout)
    assert (answer.models.lm, answer.models.verifier) == (str(wide_folder), f"lm:{wide_folder}")


@pytest.mark.parametrize(
    ("option", "value", "choices"),
    [
        ("--inference", "sum", ("joint", "vote", "argue")),
        ("--belief", "guess", ("explained", "direct")),
        ("--prompts", "none.toml", ("chat", "paper")),
        ("--device", "gpu", ("auto", "cpu", "cuda", "cuda:N")),
        ("--dtype", "int8", ("auto", "float32", "bfloat16", "float16")),
    ],
)
def test_a_mistyped_value_is_refused_with_its_choices_before_models_load(
    refuse_ask: Refuse, tmp_path: Path, option: str, value: str, choices: tuple[str, ...]
) -> None:
    absent = str(tmp_path / "absent")
    error = refuse_ask("Ice is cold.", "--lm", absent, "--nli", absent, option, value)
    assert not isinstance(error, ModelError)
    assert all(word in str(error) for word in (value, *choices))


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["Ice is cold.", "--nli", "x"], "--lm"),
        (["Ice is cold.", "--lm", "x"], "--nli"),
        (["--lm", "x", "--nli", "x"], "STATEMENT"),
        (["Ice is cold.", "--lm", "x", "--nli", "x", "--depth", "-1"], "--depth"),
        (["Ice is cold.", "--lm", "x", "--nli", "x", "--seed", "many"], "--seed"),
    ],
)
def test_an_option_that_is_missing_or_out_of_range_is_named(
    ask: Run, arguments: list[str], named: str
) -> None:
    done = ask(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert named in done.stderr
    assert "Traceback" not in done.stderr


# -- statements that cannot be used --------------------------------------------------------------------

LONG = "So it is. " * 10_000


@pytest.mark.parametrize("statement", ["", " \t ", LONG], ids=["empty", "blank", "long"])
def test_a_bad_statement_is_refused_after_the_good_ones_before_it_are_answered(
    ask: Run, scripted: tuple[str, ...], statement: str
) -> None:
    done = ask("Ice is cold.", "-", statement, "Ice is hot.", "--json", *scripted, stdin=b"Penguins fly.")
    assert (done.returncode, questions(done)) == (2, ["Ice is cold.", "Penguins fly."])


def test_a_line_that_is_not_utf8_is_refused_by_its_number_after_those_before_it(
    refuse_ask: Refuse, ask: Run, scripted: tuple[str, ...]
) -> None:
    stdin = "Eis ist kühl.\n\nÜber\n".encode() + b"\xfcber\nIce.\n"
    done = ask("-", "--json", *scripted, stdin=stdin)
    assert (done.returncode, questions(done)) == (2, ["Eis ist kühl.", "Über"])
    error = refuse_ask("-", "--json", *scripted, stdin=b"\xfcber")
    assert isinstance(error, FileFormatError)
    assert (error.path, error.line) == ("standard input", 1)


@pytest.mark.parametrize("json_option", [(), ("--json",)])
def test_an_argument_that_is_not_utf8_is_refused(
    refuse_ask: Refuse, scripted: tuple[str, ...], json_option: tuple[str, ...]
) -> None:
    refuse_ask("Caf\udce9 is open.", *json_option, *scripted)  # as Python decodes the byte E9


def test_standard_input_that_is_closed_is_refused(refuse_ask: Refuse, scripted: tuple[str, ...]) -> None:
    assert refuse_ask("-", *scripted, stdin=None).subject == "-"


# -- models that cannot be used ------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["--lm", "--nli"])
def test_a_model_folder_that_is_missing_is_named(
    refuse_ask: Refuse, models: tuple[str, ...], tmp_path: Path, option: str
) -> None:
    absent = tmp_path / "absent"
    error = refuse_ask("Ice is cold.", *models, option, str(absent))
    assert isinstance(error, ModelError)
    assert str(absent) in str(error)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
@pytest.mark.parametrize("option", ["--lm", "--nli"])
def test_a_model_folder_with_a_broken_file_is_named(
    refuse_ask: Refuse, models: tuple[str, ...], tmp_path: Path, option: str, name: str
) -> None:
    folder = shutil.copytree(models[models.index(option) + 1], tmp_path / "broken")
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])
    error = refuse_ask("Ice is cold.", *models, option, str(folder))
    assert isinstance(error, ModelError)
    assert str(folder) in str(error)


@pytest.mark.parametrize(("option", "other"), [("--lm", "--nli"), ("--nli", "--lm")])
def test_a_model_given_in_the_others_place_is_refused_with_the_option_it_belongs_to(
    refuse_ask: Refuse, models: tuple[str, ...], option: str, other: str
) -> None:
    folder = models[models.index(other) + 1]
    error = refuse_ask("Ice is cold.", *models, option, folder)
    assert isinstance(error, ModelError)
    assert folder in str(error)
    assert other in str(error)


def test_a_model_that_the_prompts_do_not_fit_is_refused(
    refuse_ask: Refuse, models: tuple[str, ...], llama_folder: Path
) -> None:
    error = refuse_ask("Ice is cold.", *models, "--prompts", "chat")  # it has no template
    assert isinstance(error, ModelError)
    assert '"paper"' in str(error)
    error = refuse_ask("Ice is cold.", *models, "--lm", str(llama_folder))
    assert isinstance(error, ContextLengthError)
    assert "96" in str(error)  # tokens of its window


def test_cuda_where_there_is_none_is_refused_with_the_remedy(
    refuse_ask: Refuse, models: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert "--device cpu" in str(refuse_ask("Ice is cold.", *models, "--device", "cuda"))


# -- Ctrl-C --------------------------------------------------------------------------------------------


def test_an_interruption_ends_with_130_and_leaves_what_was_answered(
    ask: Run, scripted: tuple[str, ...]
) -> None:
    good = ["Ice is cold."] * BATCH_SIZE
    done = ask(*good, STOP, "--json", *scripted)
    assert (done.returncode, questions(done)) == (130, good)
    assert done.stderr.strip() == f"interrupted after {BATCH_SIZE} answers"


def test_ctrl_c_while_waiting_for_a_line_ends_with_130_and_no_traceback(models: tuple[str, ...]) -> None:
    # Where pytest runs in the background of a shell, its children ignore Ctrl-C unless told otherwise.
    start = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "from maieutic.cli.main import main; main()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", start, "ask", "-", "--json", *models],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"Ice is cold.\n" * BATCH_SIZE)
        process.stdin.flush()
        printed = [process.stdout.readline() for _ in range(BATCH_SIZE)]
        process.send_signal(signal.SIGINT)
        rest, error = process.communicate(timeout=60)
    assert [Answer.from_json(line).question for line in printed] == ["Ice is cold."] * BATCH_SIZE
    assert (process.returncode, rest) == (130, b"")
    assert b"Traceback" not in error


# -- files ---------------------------------------------------------------------------------------------

ONE = ("--dot", "--mermaid", "--graphml", "--wcnf")  # formats of one answer
ALL = ("--html", *ONE)


def views(path: Path) -> list[str]:
    """The statements of a page's answers."""
    data = re.search(r'<script type="application/json" id="answers">(.*?)</script>', path.read_text("utf-8"))
    assert data
    return [view["statement"] for view in json.loads(data[1])]


def test_one_answer_goes_to_every_file_that_is_asked_for(
    ask: Run, scripted: tuple[str, ...], tmp_path: Path
) -> None:
    files = [tmp_path / f"answer{option}" for option in ALL]
    options = [part for pair in zip(ALL, files, strict=True) for part in pair]
    done = ask("Do penguins fly?", "--json", *options, *scripted)
    assert done.returncode == 0
    assert done.stderr.splitlines() == [f"wrote {file}" for file in files]
    (answer,) = answers(done.stdout)
    html, dot, mermaid, graphml, wcnf = files
    assert views(html) == ["Penguins fly."]
    assert dot.read_text().startswith("digraph answer {")
    assert mermaid.read_text().startswith("flowchart LR")
    assert set(nx.read_graphml(graphml)) == set(answer.labels)
    assert len(read_wcnf(wcnf).soft) == len(answer.verdict.constraints)


def test_a_page_takes_all_answers_those_from_standard_input_too(
    ask: Run, scripted: tuple[str, ...], tmp_path: Path
) -> None:
    html = tmp_path / "answers.html"
    done = ask("Ice is cold.", "-", "--html", html, *scripted, stdin=b"So it is.\nPenguins fly.\n")
    assert done.returncode == 0
    assert views(html) == ["Ice is cold.", "So it is.", "Penguins fly."]


@pytest.mark.parametrize("option", ALL)
@pytest.mark.parametrize("file", ["taken", "folder", "absent/answer", "taken/answer", "x" * 300])
def test_a_file_that_cannot_be_written_is_refused_before_models_load(
    refuse_ask: Refuse, tmp_path: Path, option: str, file: str
) -> None:
    (tmp_path / "taken").write_text("mine")
    (tmp_path / "folder").mkdir()
    absent = str(tmp_path / "absent")
    error = refuse_ask("Ice is cold.", "--lm", absent, "--nli", absent, option, tmp_path / file)
    assert error.subject == option
    assert (tmp_path / "taken").read_text() == "mine"
    assert {path.name for path in tmp_path.iterdir()} == {"taken", "folder"}


@pytest.mark.parametrize("option", ONE)
@pytest.mark.parametrize("statements", [("Ice is cold.", "So it is."), ("-",)])
def test_a_format_of_one_answer_is_refused_where_there_may_be_several(
    refuse_ask: Refuse, tmp_path: Path, option: str, statements: tuple[str, ...]
) -> None:
    absent = str(tmp_path / "absent")
    error = refuse_ask(*statements, "--lm", absent, "--nli", absent, option, tmp_path / "answer")
    assert error.subject == option


def test_standard_output_and_one_file_for_two_formats_are_refused(
    refuse_ask: Refuse, scripted: tuple[str, ...], tmp_path: Path
) -> None:
    assert refuse_ask("Ice is cold.", "--dot", "-", *scripted).subject == "--dot"
    same = tmp_path / "answer"
    error = refuse_ask("Ice is cold.", "--dot", same, "--wcnf", same, *scripted)
    assert error.subject == "--wcnf"
    assert not same.exists()


def test_after_ctrl_c_the_page_holds_what_was_answered(
    ask: Run, scripted: tuple[str, ...], tmp_path: Path
) -> None:
    html = tmp_path / "answers.html"
    done = ask(*["Ice is cold."] * BATCH_SIZE, STOP, "--json", "--html", html, *scripted)
    assert (done.returncode, len(questions(done))) == (130, BATCH_SIZE)
    assert views(html) == ["Ice is cold."] * BATCH_SIZE


def test_a_bad_statement_leaves_a_page_of_those_before_it(
    ask: Run, scripted: tuple[str, ...], tmp_path: Path
) -> None:
    html = tmp_path / "answers.html"
    assert ask("Ice is cold.", "", "--html", html, *scripted).returncode == 2
    assert views(html) == ["Ice is cold."]


def test_without_an_answer_there_is_no_file(ask: Run, scripted: tuple[str, ...], tmp_path: Path) -> None:
    assert ask("-", "--html", tmp_path / "answers.html", *scripted).returncode == 0
    assert ask("", "--wcnf", tmp_path / "answer.wcnf", *scripted).returncode == 2
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_ends_the_run_with_a_message_and_leaves_no_partial_file(
    ask: Run, scripted: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    html = tmp_path / "answers.html"
    monkeypatch.setattr(os, "fsync", full)
    done = ask("Ice is cold.", "--json", "--html", html, *scripted)
    assert (done.returncode, questions(done)) == (1, ["Ice is cold."])
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert all(text in line for text in (str(html), "No space left on device"))
    assert not html.exists()


# -- the bundled models --------------------------------------------------------------------------------


def test_the_words_of_one_sentence_without_quotes_are_refused_with_the_quotes(
    refuse_ask: Refuse, scripted: tuple[str, ...]
) -> None:
    for words in (["Can", "a", "penguin", "fly"], ["Can", "a", "penguin", "fly?"]):
        assert f'maieutic ask "{" ".join(words)}"' in str(refuse_ask(*words, *scripted))


@pytest.mark.parametrize(
    "statements", [["Ice is cold", "Fire burns", "Snow"], ["It.", "Is.", "So."], ["Fire", "burns"]], ids=str
)
def test_several_statements_are_no_sentence(statements: list[str]) -> None:
    _check_quotes(statements)


def test_seconds_that_are_averages_say_so(ask: Run, scripted: tuple[str, ...]) -> None:
    one, three = (ask(*["Is ice cold?"] * number, *scripted, "--verbose").stdout for number in (1, 3))
    assert "averages" not in one
    assert three.count("(averages of 3 that advanced together)") == 3


def test_without_models_the_bundled_ones_answer_after_a_line_on_others(ask: Run) -> None:
    done = ask("Can a penguin fly?", "--json")
    assert done.returncode == 0
    (notice,) = done.stderr.splitlines()
    assert all(word in notice for word in ("agora", "--lm", "--nli", "--download"))
    (answer,) = answers(done.stdout)
    assert (answer.question, answer.statement) == ("Can a penguin fly?", "A penguin can fly.")
    assert (answer.models.lm, answer.models.verifier) == ("agora", "agora")


def test_words_that_the_bundled_model_does_not_know_are_named(ask: Run) -> None:
    done = ask("Can a penguin fly?", "Can a quokka juggle?", "--json", "--depth", "0")
    _, warning = done.stderr.splitlines()
    assert warning.startswith("warning: ")
    assert all(text in warning for text in ('"quokka"', '"juggle"', "A quokka can juggle."))
    known, unknown = answers(done.stdout)
    assert (known.unsure, unknown.unsure) == (False, True)
    assert not known.warnings
    assert unknown.warnings


def test_another_model_needs_a_verifier(refuse_ask: Refuse, wide_folder: Path) -> None:
    assert refuse_ask("Ice is cold.", "--lm", wide_folder).subject == "--nli"


def test_another_model_is_asked_without_notice_or_warning(ask: Run, scripted: tuple[str, ...]) -> None:
    assert ask("Can a quokka juggle?", *scripted).stderr == ""
