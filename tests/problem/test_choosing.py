"""Choose: options as statements, one problem, and the command."""

from __future__ import annotations

import json
from collections.abc import Callable
from subprocess import CompletedProcess
from typing import Any

import pytest

from maieutic.config import ElicitConfig
from maieutic.errors import InputError
from maieutic.inference import Argue, Joint
from maieutic.inference.weights import DEFAULT_WEIGHTS
from maieutic.lm.base import Prompt
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.pipeline import Maieutic
from maieutic.priors import Priors
from maieutic.problem.asking import for_choosing
from maieutic.problem.choosing import check_options, choice_weights, option_texts
from maieutic.prompts import load_prompts
from maieutic.render.choice import choice_data
from maieutic.sentences import content_words
from maieutic.sentences.options import option_statements

Run = Callable[..., "CompletedProcess[str]"]
QUESTION, OPTIONS = "Which thing floats in water?", ["a cork", "a brick", "a spoon"]


def pipeline(**settings: Any) -> Maieutic:
    """A model that believes what says "cork", and explains bricks by corks."""

    def reply(prompt: Prompt, index: int) -> str:
        return " A cork is light, and a brick is heavy." if index == 0 else " Water is wet."

    def probability(prompt: Prompt, option: str) -> float:
        likely = 0.8 if "cork" in prompt.query else 0.3
        return {" true": likely, " false": 1 - likely}.get(option, 0.5)

    lm = ScriptedLanguageModel(reply, probability)
    return Maieutic(lm, ScriptedVerifier(lambda *_: "neutral"), **settings)


def test_the_likeliest_option_is_chosen_and_the_distribution_sums_to_one() -> None:
    choice = pipeline(elicit=ElicitConfig(budget=200, confidence=0.99)).choose(QUESTION, OPTIONS)
    assert choice.chosen.text == "a cork"
    assert sum(option.p or 0.0 for option in choice.options) == pytest.approx(1.0)
    assert choice.margin == pytest.approx((choice.ranked[0].p or 0) - (choice.ranked[1].p or 0))
    assert not choice.unsure
    assert choice.usage.calls > 0
    assert choice.options[0].statement == "A cork floats in water."
    data = choice_data(choice)
    assert data["choice"] == "a cork"
    assert len(json.dumps(data)) > 100


def test_a_model_that_judges_nothing_leaves_the_choice_unsure() -> None:
    lm = ScriptedLanguageModel(lambda *_: "", lambda *_: 0.0)
    mute = Maieutic(lm, ScriptedVerifier(lambda *_: "neutral"))
    choice = mute.choose(QUESTION, OPTIONS)
    assert choice.unsure
    assert choice.warnings
    assert choice.margin == pytest.approx(0.0)


def test_an_assumption_decides_between_options() -> None:
    def judge(premise: str, hypothesis: str) -> str:
        return (
            "entailment"
            if (premise, hypothesis) == ("Bricks float.", "A brick floats in water.")
            else "neutral"
        )

    from maieutic.inference.assumptions import assumptions_of

    joint = Joint(assumptions=assumptions_of(["Bricks float."]))
    lm = ScriptedLanguageModel(lambda *_: "", lambda *_: 0.5)
    told = Maieutic(lm, ScriptedVerifier(judge, confidence=0.99), inference=joint)
    choice = told.choose(QUESTION, OPTIONS)
    assert choice.chosen.text == "a brick"
    assert choice.margin is not None
    assert choice.margin > 0.3


@pytest.mark.parametrize(
    ("question", "options", "subject"),
    [
        (QUESTION, [], "options"),
        (QUESTION, ["one"], "options"),
        (QUESTION, ["a cork", "A cork."], "A cork."),
        (QUESTION, [f"number {n}" for n in range(101)], "options"),
        (QUESTION, ["a", " "], "options"),
        (QUESTION, ["a", "b" * 2001], "options"),
        ("  ", ["a", "b"], "text"),
    ],
)
def test_what_cannot_be_chosen_from_is_refused(question: str, options: list[str], subject: str) -> None:
    with pytest.raises(InputError) as error:
        pipeline().choose(question, options)
    assert error.value.subject == subject


def test_a_hundred_options_are_one_exact_problem() -> None:
    options = [f"thing number {n}" for n in range(100)]
    lm = ScriptedLanguageModel(
        lambda *_: "",
        lambda prompt, option: 0.9 if ("number 7 " in prompt.query) == (option == " true") else 0.1,
    )
    config = ElicitConfig(depth=0)
    choice = Maieutic(lm, ScriptedVerifier(lambda *_: "neutral"), elicit=config).choose(QUESTION, options)
    assert choice.settled.exact
    assert choice.chosen.text == "thing number 7"


def test_options_need_joint_inference_and_take_the_weights_of_choosing() -> None:
    with pytest.raises(InputError):
        pipeline(inference=Argue()).choose(QUESTION, OPTIONS)
    priors = Priors(0.5, 0.2, 0.1)
    taken = for_choosing(Joint(DEFAULT_WEIGHTS.with_priors(priors))).weights
    assert taken == choice_weights().with_priors(priors)
    own = choice_weights().with_priors(priors)
    assert for_choosing(Joint(own)).weights is own
    assert check_options("Q", ["a", "A."], distinct=False)[1] == ("a", "A.")


@pytest.mark.parametrize(
    ("question", "option", "statement"),
    [
        ("Where would you find a revolving door?", "a bank", "You would find a revolving door in a bank."),
        ("Where would you find it?", "in a bank", "You would find it in a bank."),
        ("What is used to grind wheat?", "a mill", "A mill is used to grind wheat."),
        ("He put it in a what?", "the cupboard", "He put it in the cupboard."),
        ("Tom is cold. What does he need?", "a coat", "Tom is cold. He needs a coat."),
        ("The sky is ____ today.", "blue", "The sky is blue today."),
        ("Granite is a type of", "igneous rock.", "Granite is a type of igneous rock."),
        ("Why do birds fly south?", "it is cold", "Birds fly south because it is cold."),
        ("Why do birds fly south?", "because it is cold", "Birds fly south because it is cold."),
        ("Which of these can fly?", "a sparrow", "A sparrow can fly."),
        ("Which of the following animals lays eggs?", "a hen", "A hen lays eggs."),
        ("What is milk?", "a drink", "Milk is a drink."),
        ("What is the capital of Peru?", "Lima", "The capital of Peru is Lima."),
        ("What is burning?", "the barn", "The barn is burning."),
        ("What do people use to cut bread?", "a knife", "People use a knife to cut bread."),
        ("How many legs does a spider have?", "eight", "A spider has eight legs."),
        ("How many legs does a spider have?", "eight legs", "A spider has eight legs."),
        ("How old is the hut?", "six years old", "The hut is six years old."),
        ("Where might a tired walker go?", "a hut", "A tired walker might go to a hut."),
        (
            "Which statement is right?",
            "Ice is cold.",
            'The answer to "Which statement is right?" is: Ice is cold.',
        ),
    ],
)
def test_an_option_becomes_a_statement_in_its_words(question: str, option: str, statement: str) -> None:
    found = option_statements(question, option)
    assert found[0] == statement
    for candidate in found:
        assert content_words(option) <= content_words(candidate)


def test_the_model_chooses_among_candidates() -> None:
    lm = ScriptedLanguageModel(lambda *_: "", lambda _, option: 0.9 if " at " in option else 0.05)
    question = "Where would you find a revolving door?"
    texts, usage = option_texts(question, ["a bank", "a ship"], lm, load_prompts("paper"))
    assert texts == [f"You would find a revolving door at {place}." for place in ("a bank", "a ship")]
    assert usage.calls == 2


def test_the_command_prints_the_choice(run: Run) -> None:
    question = ("choose", "What is a spoon made of?", "-o", "steel", "-o", "wool", "--depth", "0")
    done = run(*question)
    assert done.returncode == 0, done.stderr
    assert "steel" in done.stdout
    assert "wool" in done.stdout
    done = run(*question, "--json")
    assert {option["text"] for option in json.loads(done.stdout)["options"]} == {"steel", "wool"}


def test_the_command_refuses_one_option_in_one_line(run: Run) -> None:
    for options in ((), ("-o", "steel"), ("-o", "steel", "-o", "Steel")):
        done = run("choose", "What is a spoon made of?", *options)
        assert (done.returncode, done.stdout) == (2, "")
        assert len(done.stderr.splitlines()) == 1
