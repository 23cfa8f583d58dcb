"""What all hosts share: the summary of an answer, what-if, and one set of models for threads and copies."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import threading
from dataclasses import replace
from importlib.util import find_spec

import pytest

from maieutic import Answer, ElicitConfig, Joint, Maieutic, Vote, assumptions_of
from maieutic.errors import InputError
from maieutic.hosts.problems import check_summary, choice_summary
from maieutic.hosts.shared import Shared, what_if
from maieutic.hosts.summary import summary_of
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.render.phrases import Phrases

QUESTION = "Does an iguana have scales?"


@pytest.fixture(scope="module")
def agora() -> Maieutic:
    return Maieutic.load(elicit=ElicitConfig(explain=True))


@pytest.fixture(scope="module")
def answer(agora: Maieutic) -> Answer:
    return agora.ask(QUESTION)


def test_a_summary_says_what_the_answer_says(answer: Answer) -> None:
    summary = summary_of(answer)
    assert (summary.answer, summary.p_true, summary.unsure) == (answer.answer, answer.p_true, False)
    helping, other = Phrases(answer).sides
    assert (len(summary.reasons), len(summary.objections)) == (min(len(helping), 4), min(len(other), 3))
    assert {one.id: one.holds for one in summary.explanations} == {
        i: label for i, label in answer.labels.items() if i != "Q"
    }
    assert all(one.p_true is not None and 0.0 <= one.p_true <= 1.0 for one in summary.explanations)
    assert summary.warnings == ()


def test_a_summary_warns_of_words_that_the_bundled_model_has_never_seen(agora: Maieutic) -> None:
    (warning,) = summary_of(agora.ask("Can a zyzzyva fly?")).warnings
    assert '"zyzzyva"' in warning


def test_texts_of_a_model_are_printable_in_a_summary(answer: Answer) -> None:
    node = next(one for one in answer.tree.nodes if one.parent is not None and one.id in answer.labels)
    hostile = replace(node, statement=node.statement + "\x1b[2J\u202e")
    nodes = tuple(hostile if one is node else one for one in answer.tree.nodes)
    summary = summary_of(replace(answer, tree=replace(answer.tree, nodes=nodes)))
    told = "".join((*summary.reasons, *summary.objections, *(one.statement for one in summary.explanations)))
    assert told.isprintable()


def test_choices_and_checks_are_told_in_printable_texts() -> None:
    lm = ScriptedLanguageModel(lambda *_: " So.", lambda _, option: 0.9 if option == " true" else 0.1)
    maieutic = Maieutic(lm, ScriptedVerifier(lambda *_: "contradiction", 0.95), elicit=ElicitConfig(depth=0))
    choice = maieutic.choose("What is a spoon made of?", ["steel", "wool"])
    hostile = tuple(replace(one, text=one.text + "\x1b[2J", statement="\u202e") for one in choice.options)
    told = choice_summary(replace(choice, options=hostile, warnings=("\x07",)))
    texts = [
        told.choice,
        *told.warnings,
        *(text for one in told.options for text in (one.text, one.statement)),
    ]
    assert all(text.isprintable() for text in texts)
    assert sum(one.p or 0.0 for one in told.options) == pytest.approx(1.0)

    check = maieutic.check(["A spoon is soft.", "A spoon is hard.", "A spoon is red."])
    found = check_summary(check)
    assert (found.hangs_together, found.more_conflicts) == (check.hangs_together, False)
    assert len(found.conflicts) == len(check.conflicts.sets) > 0
    assert [one.held for one in found.statements] == [one.held for one in check.statements]
    assert len(found.give_up) == len(check.conflicts.given_up)
    assert all(one.reasons == () for one in found.statements if one.held)


@pytest.mark.parametrize("named", ["id", "statement"])
def test_what_if_is_inference_with_the_same_tree_and_an_assumption(
    agora: Maieutic, answer: Answer, named: str
) -> None:
    node = next(one for one in summary_of(answer).explanations if one.holds)
    supposed = what_if(agora, answer, (), [getattr(node, named)])
    assert isinstance(agora.inference, Joint)
    joint = replace(agora.inference, assumptions=assumptions_of((), [node.statement]))
    (expected,) = Maieutic(agora.lm, agora.verifier, inference=joint).conclude([answer.tree])
    assert supposed.tree == answer.tree
    assert (supposed.labels, supposed.p_true) == (expected.labels, expected.p_true)
    assert supposed.labels[node.id] is False
    assert supposed.p_true != answer.p_true
    assert supposed.models.lm == answer.models.lm


def test_what_if_refuses_the_question_itself_contradictions_and_other_inferences(
    agora: Maieutic, answer: Answer
) -> None:
    for true, false in ((["Q"], []), (["QT0"], ["QT0"]), (["What is it?"], [])):
        with pytest.raises(InputError):
            what_if(agora, answer, true, false)
    votes = Maieutic(agora.lm, agora.verifier, inference=Vote())
    with pytest.raises(InputError) as error:
        what_if(votes, answer, ["QT0"], [])
    assert error.value.subject == "inference"


def test_copies_share_the_models_and_threads_take_turns(agora: Maieutic) -> None:
    shared = Shared(agora)
    assert copy.deepcopy(shared) is shared
    ended = threading.Event()

    def wait() -> None:
        with shared:
            ended.set()

    with shared as maieutic:
        assert maieutic is agora
        thread = threading.Thread(target=wait)
        thread.start()
        assert not ended.is_set()
    thread.join()
    assert ended.is_set()


def test_a_copy_that_was_pickled_has_the_same_parts() -> None:
    parts = {"lm": "own"}
    with pickle.loads(pickle.dumps(Shared(parts))) as kept:  # type: ignore[arg-type]
        assert kept == parts


MISSING = """
import sys
from importlib import import_module
from maieutic.errors import InputError
for package in ("mcp", "inspect_ai", "lm_eval", "dspy"):
    sys.modules[package] = None
    try:
        import_module("maieutic.hosts." + package.removesuffix("_ai"))
    except InputError as error:
        print(error)
"""


def test_a_missing_package_is_one_line_that_names_the_extra() -> None:
    done = subprocess.run([sys.executable, "-c", MISSING], capture_output=True, text=True, check=True)
    extras = ("mcp", "inspect", "lm-eval", "dspy")
    for line, extra in zip(done.stdout.splitlines(), extras, strict=True):
        assert line.endswith(f" needs maieutic[{extra}]; pip install 'maieutic[{extra}]'")


def test_the_hosts_that_are_not_used_are_not_imported() -> None:
    code = "import sys, maieutic.hosts.shared, maieutic.cli.main; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"mcp", "inspect_ai", "lm_eval", "dspy"} & set(loaded.stdout.split())


@pytest.mark.skipif(find_spec("mcp") is not None, reason="the package is installed")
def test_the_command_without_its_package_ends_with_the_same_line() -> None:
    command = [sys.executable, "-m", "maieutic.cli.main", "mcp"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.splitlines()) == (
        2,
        ["error: an MCP server needs maieutic[mcp]; pip install 'maieutic[mcp]'"],
    )
