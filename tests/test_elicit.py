"""Elicitation: how trees grow, wave by wave, and what becomes of what a model must not say."""

from __future__ import annotations

import json
import math
import random
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maieutic.config import REFERENCE, Belief, ElicitConfig, check_belief
from maieutic.elicit import elicit
from maieutic.elicit.state import KEPT_CHARS
from maieutic.errors import ContextLengthError, InputError
from maieutic.lm.base import Completion, LanguageModel, OptionScores, Prompt, SamplingParams
from maieutic.lm.local.model import TransformersLM
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.prompts import load_prompts
from maieutic.text import (
    DUPLICATE,
    ECHO,
    EMPTY,
    NO_NEGATION,
    NO_VERDICT,
    SAME,
    TOO_LONG,
    UNFINISHED,
    same_text,
)
from maieutic.tree import Discard, Proposition, Tree, child_id, is_integral
from maieutic.usage import Usage

PAPER = load_prompts("paper")
SURE, UNSURE = (0.95, 0.05), (0.5, 0.5)  # P(true), P(false)
REASONS = {  # by the kind of text
    "statement": {EMPTY, TOO_LONG, UNFINISHED, ECHO},
    "negation": {EMPTY, TOO_LONG, UNFINISHED, ECHO, SAME},
    "explanation": {NO_NEGATION, EMPTY, TOO_LONG, UNFINISHED, ECHO, DUPLICATE},
    "belief": {NO_VERDICT},
}
Reply = Callable[[str, int], str]  # (the statement asked about, sample index) → continuation


def kind_of(prompt: Prompt) -> str:
    """What a prompt of the paper set asks for."""
    opening = prompt.opening.removesuffix(", because")
    named = {"Statement:": "declare", "Negation:": "negate", "A: True": "T", "A: False": "F", "A:": "belief"}
    return named.get(opening) or ("direct" if opening == "A: The statement is" else "verdict")


def statement_in(prompt: Prompt) -> str:
    """The statement that a prompt of the paper set asks about."""
    text = prompt.query.partition(": ")[2]
    return text if kind_of(prompt) in ("declare", "negate") else f"{text[:-1]}."


def depth_of(text: str) -> int:
    return text.casefold().count("reason ")


def sure_from(depth: int) -> Callable[[str], tuple[float, float]]:
    """A belief that is uncertain above a depth; from there on statements are true and negations false."""

    def belief(text: str) -> tuple[float, float]:
        if depth_of(text) < depth:
            return UNSURE
        return SURE[::-1] if text.startswith("No: ") else SURE

    return belief


@dataclass
class Scripted:
    """A language model with scripted replies and beliefs per statement, which logs its calls."""

    belief: Callable[[str], tuple[float, float]] = field(default_factory=lambda: sure_from(0))
    replies: dict[str, Reply] = field(default_factory=dict)  # by kind of prompt; usable ones by default
    log: list[tuple[str, int, dict[str, Any]]] = field(default_factory=list)  # kind, prompts, settings
    seen: list[Prompt] = field(default_factory=list)  # by choose
    usage: Usage = field(default=Usage())  # of all replies
    name: str = "scripted"
    prompts: str = "paper"

    def reply(self, prompt: Prompt, index: int) -> str:
        kind, text = kind_of(prompt), statement_in(prompt)
        if kind in self.replies:
            return self.replies[kind](text, index)
        return {
            "declare": f" declared {text[:-1]}.",
            "negate": f" no: {text.rstrip('.?')}.",
            "belief": " So it seems. Therefore, the statement is true.",
        }.get(kind, f" reason {kind}{index} of {text}")

    def probability(self, prompt: Prompt, option: str) -> float:
        self.seen += [prompt] if option == PAPER.answers[0] else []
        return self.belief(statement_in(prompt))[PAPER.answers.index(option)]

    def sample(self, prompts: Sequence[Prompt], n: int, params: SamplingParams) -> list[list[Completion]]:
        (kind,) = {kind_of(prompt) for prompt in prompts}
        self.log.append((kind, len(prompts), {"n": n, **asdict(params)}))
        replies = self.script().sample(prompts, n, params)
        self.usage = sum((completion.usage for row in replies for completion in row), self.usage)
        return replies

    def choose(self, prompts: Sequence[Prompt], options: Sequence[str]) -> OptionScores:
        (kind,) = {kind_of(prompt) for prompt in prompts}
        self.log.append((kind, len(prompts), {}))
        scores = self.script().choose(prompts, options)
        self.usage = sum(scores.usages, self.usage)
        return scores

    def script(self) -> ScriptedLanguageModel:
        return ScriptedLanguageModel(self.reply, self.probability)

    def calls(self, *kinds: str) -> list[dict[str, Any]]:
        return [settings for kind, _, settings in self.log if kind in kinds]

    def draws(self, *kinds: str) -> list[tuple[int, float, float]]:
        return [(call["n"], call["temperature"], call["top_p"]) for call in self.calls(*kinds)]


def grow(model: LanguageModel, question: str = "Ice is cold.", **changes: Any) -> Tree:
    (growth,) = elicit([question], model, PAPER, replace(REFERENCE, **changes))
    return growth.tree


def check_invariants(tree: Tree, config: ElicitConfig) -> None:
    """What every tree keeps, whatever the model says."""
    grown = sorted((*tree.nodes, *tree.pruned), key=lambda node: node.depth)
    whole = Tree(tree.question, tree.statement, tree.negation, tuple(grown))  # raises if no tree
    assert whole.root == Proposition("Q", None, tree.statement, tree.negation, *beliefs(whole.root))
    living: set[str | None] = set()  # on a path to an integral leaf
    for node in reversed(grown):
        children = list(whole.children(node.id))
        assert node.integral == is_integral(node.p_true, node.p_true_negation, config.integrity_threshold)
        if node.id in living or (node.integral and not children):
            living |= {node.id, node.parent}
        assert not (node.integral and children)
        assert len(children) <= 2 * config.width(node.depth + 1)
        for child in children:
            assert child.statement.endswith(".")
            assert child.negation.endswith(".")
            assert not same_text(child.statement, node.statement)
            assert not same_text(child.statement, child.negation)
            twins = [c for c in children if c.side == child.side and same_text(c.statement, child.statement)]
            assert twins == [child]
    assert [node.id in living for node in tree.nodes] == [True] * len(tree.nodes)
    assert [node.id in living for node in tree.pruned] == [False] * len(tree.pruned)
    assert max(node.depth for node in grown) <= config.depth
    for discard in tree.discarded:
        assert discard.reason in REASONS[discard.kind]
        assert (discard.side is not None) == (discard.kind == "explanation")
        assert len(discard.text) <= KEPT_CHARS


def beliefs(node: Proposition) -> tuple[float | None, float | None, bool]:
    return node.p_true, node.p_true_negation, node.integral


# The reference algorithm


@pytest.mark.parametrize("count", [1, 2, 7])
def test_the_calls_of_a_wave_do_not_grow_with_the_number_of_questions(count: int) -> None:
    model = Scripted(sure_from(2))
    elicit([f"Is fact {number} so?" for number in range(count)], model, PAPER, REFERENCE)
    wave = ["T", "F", "negate", "belief", "verdict"]
    assert [kind for kind, _, _ in model.log] == ["declare", "negate", "belief", "verdict", *wave, *wave]
    per_question = [1, 1, 2, 2, 1, 1, 6, 12, 12, 6, 6, 12, 24, 24]
    assert [prompts for _, prompts, _ in model.log] == [count * prompts for prompts in per_question]


@pytest.mark.parametrize(("depth", "sizes"), [(1, [1, 6]), (2, [1, 6, 12]), (3, [1, 6, 12, 24])])
def test_an_uncertain_model_gives_the_widths_of_each_depth(depth: int, sizes: list[int]) -> None:
    model = Scripted(sure_from(depth))
    tree = grow(model, depth=depth)
    assert Counter(node.depth for node in tree.nodes) == dict(enumerate(sizes))
    assert (tree.pruned, tree.discarded) == ((), ())
    for side in (True, False):
        assert sum(node.side is side for node in tree.nodes) == sum(sizes[1:]) / 2
    wanted = [(3, 1.0, 1.0), (1, 0.5, 1.0), (1, 0.5, 1.0)][:depth]
    assert model.draws("T") == model.draws("F") == wanted
    check_invariants(tree, replace(REFERENCE, depth=depth))


def test_negations_and_beliefs_are_greedy_and_every_text_has_the_same_limit() -> None:
    model = Scripted(sure_from(1))
    grow(model, "Is ice cold?", max_new_tokens=17, top_p=0.9)
    greedy = ["declare", "negate", "belief"]
    assert set(model.draws(*greedy)) == {(1, 0.0, 1.0)}
    assert {call["max_new_tokens"] for call in model.calls(*greedy, "T", "F")} == {17}
    assert {call["top_p"] for call in model.calls("T", "F")} == {0.9}


@pytest.mark.parametrize("depth", [0, 1, 2, 3])
def test_an_integral_root_is_a_tree_of_one_node_without_abduction(depth: int) -> None:
    model = Scripted(sure_from(0))
    tree = grow(model, depth=depth)
    assert (tree.kind, tree.pruned, model.calls("T", "F")) == ("one-node", (), [])
    assert tree.nodes == (Proposition("Q", None, "Ice is cold.", "No: Ice is cold.", 0.95, 0.05, True),)


@pytest.mark.parametrize(("depth", "grown"), [(0, 1), (1, 7), (2, 19)])
def test_without_integral_propositions_the_tree_is_empty(depth: int, grown: int) -> None:
    tree = grow(Scripted(sure_from(99)), depth=depth)
    assert (tree.kind, len(tree.pruned)) == ("empty", grown)
    assert tree.root == Proposition("Q", None, "Ice is cold.", "No: Ice is cold.", 0.5, 0.5, False)


def test_only_leaves_that_are_not_integral_grow() -> None:
    model = Scripted(lambda text: sure_from(1 if "T0 of Ice" in text else 99)(text))
    tree = grow(model)
    assert [prompts for kind, prompts, _ in model.log if kind == "T"] == [1, 5]
    assert [node.id for node in tree.nodes] == ["Q", "QT0"]


def test_the_ids_of_children_hold_their_side_and_index() -> None:
    tree = grow(Scripted(sure_from(1)), widths=(2,))
    assert [(node.id, node.statement) for node in tree.nodes[1:]] == [
        (child_id("Q", side, index), f"Reason {'T' if side else 'F'}{index} of Ice is cold.")
        for side in (True, False)
        for index in (0, 1)
    ]


# Any model at all


def chaotic(seed: int) -> Scripted:
    """Says anything: usable or not, the same each time it is asked the same."""

    def pick(kind: str, text: str, index: int) -> str:
        rng = random.Random(f"{seed} {kind} {text} {index}")
        good = f"reason {rng.randrange(3)} {kind} {text}" if kind in "TF" else f"so {rng.randrange(9)} {text}"
        fails = ["", "\x00", " \u2028\r ", "open end", text, f"Negation: {text}", f"a\x1b {'y' * 2000}."]
        known = f"as {text} Therefore, the statement is"
        return rng.choice([good] * 8 + fails) if kind != "belief" else rng.choice([known] * 9 + fails)

    def belief(text: str) -> tuple[float, float]:
        p = random.Random(f"{seed} {text}").choice([0.0, 0.05, 0.4, 0.5, 0.6, 0.95, 1.0])
        return p, (1 - p) * random.Random(text).choice([1, 1, 0.1])

    return Scripted(belief, {kind: partial(pick, kind) for kind in ("declare", "negate", "T", "F", "belief")})


QUESTIONS = st.lists(
    st.sampled_from(["Is ice cold?", "Ice is cold.", "ice", "{x} \\ ❄ <b>", "?", "a\u2028b"]), max_size=4
)
CONFIGS = st.builds(
    partial(replace, REFERENCE),
    depth=st.integers(0, 3),
    widths=st.sampled_from([(3, 1), (1,), (2, 2)]),
    temperatures=st.sampled_from([(1.0, 0.5), (0.0,)]),
    integrity_threshold=st.sampled_from([0.0, 0.45, 1.0]),
    belief=st.sampled_from(["direct", "explained"]),
    tries=st.integers(1, 3),
)


@settings(deadline=None, max_examples=80)
@given(st.integers(0, 10**6), QUESTIONS, CONFIGS)
def test_for_any_replies_the_kept_paths_lead_to_integral_leaves(
    seed: int, questions: list[str], config: ElicitConfig
) -> None:
    trees = [growth.tree for growth in elicit(questions, chaotic(seed), PAPER, config)]
    assert [tree.question for tree in trees] == [" ".join(question.split()) for question in questions]
    for tree in trees:
        check_invariants(tree, config)
        assert Tree.from_json(tree.to_json()) == tree


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), QUESTIONS, CONFIGS)
def test_a_tree_does_not_depend_on_the_other_questions(
    seed: int, questions: list[str], config: ElicitConfig
) -> None:
    alone = [elicit([question], chaotic(seed), PAPER, config)[0] for question in questions]
    assert elicit(questions, chaotic(seed), PAPER, config) == alone


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), QUESTIONS, CONFIGS)
def test_the_usages_of_the_trees_add_up_to_all_replies(
    seed: int, questions: list[str], config: ElicitConfig
) -> None:
    model = chaotic(seed)
    growths = elicit(questions, model, PAPER, config)
    assert sum((growth.usage for growth in growths), Usage()) == model.usage


def test_a_prompt_that_two_questions_share_is_charged_to_both() -> None:
    first, second = elicit(["Ice is cold."] * 2, Scripted(), PAPER, REFERENCE)
    assert first == second
    assert first.usage == elicit(["Ice is cold."], Scripted(), PAPER, REFERENCE)[0].usage
    assert first.usage.calls == 5  # a negation, two reasons, two verdicts


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), CONFIGS)
def test_calls_are_bounded_by_depth_and_tries(seed: int, config: ElicitConfig) -> None:
    model = chaotic(seed)
    elicit(["Is ice cold?", "Ice is cold."], model, PAPER, config)
    again = (config.tries - 1) * max(config.widths)  # a call for each number that is lacking
    most = 4 + config.depth * (2 * (1 + again) + 3)
    assert len(model.log) <= most


def test_without_beliefs_a_tree_grows_to_its_depth_and_is_pruned_as_a_whole() -> None:
    model = Scripted(sure_from(0))
    tree = grow(model, read_beliefs=False)
    assert (tree.nodes, tree.discarded) == ((), ())
    assert Counter(node.depth for node in tree.pruned) == {0: 1, 1: 6, 2: 12}
    assert {beliefs(node) for node in tree.pruned} == {(None, None, False)}
    assert model.calls("belief", "verdict", "direct") == []


# Words in and words refused


def test_a_question_is_turned_into_a_statement_and_both_are_kept() -> None:
    model = Scripted(replies={"declare": lambda *_: " ice is\tcold. "})
    tree = grow(model, " is ice\ncold? ")
    assert (tree.question, tree.statement, tree.negation) == (
        "is ice cold?",
        "Ice is cold.",
        "No: Ice is cold.",
    )
    assert (tree.root.statement, tree.discarded) == ("Ice is cold.", ())


def test_a_statement_is_not_rewritten() -> None:
    model = Scripted()
    assert grow(model, "ice is  cold").statement == "Ice is cold"
    assert model.calls("declare") == []


# What a prompt cannot be answered with: (reply, reason); the prompts ask about "Ice is cold."
HOSTILE = {
    "empty": ("", EMPTY),
    "blank": (" \t\u2028 ", EMPTY),
    "full stop": (" .", EMPTY),
    "control characters": ("\x00\x1b\x07.", EMPTY),
    "unfinished": (" because it has", UNFINISHED),
    "very long": (" " + "x" * 5000 + ".", TOO_LONG),
}


def hostile(*more: tuple[str, str]) -> list[Any]:
    extra = [pytest.param(*row, id=f"{row[1]} {number}") for number, row in enumerate(more)]
    return [*(pytest.param(*row, id=name) for name, row in HOSTILE.items()), *extra]


@pytest.mark.parametrize(("text", "reason"), hostile(("Question: is ice cold? Yes it is.", ECHO)))
def test_a_question_without_a_usable_statement_is_its_own_statement(text: str, reason: str) -> None:
    tree = grow(Scripted(replies={"declare": lambda *_: text}), "is ice cold?")
    assert (tree.statement, tree.root.statement) == ("Is ice cold?", "Is ice cold?")
    assert tree.discarded == (Discard("Q", "statement", None, text[:KEPT_CHARS], reason),)


@pytest.mark.parametrize(
    ("text", "reason"),
    hostile(("ice is  COLD.", SAME), ("Statement: Ice is cold.", ECHO), ("I say Negation: it is not.", ECHO)),
)
def test_an_unusable_negation_leaves_the_root_without_one(text: str, reason: str) -> None:
    tree = grow(Scripted(replies={"negate": lambda *_: text}), depth=0)
    assert (tree.negation, tree.kind) == ("", "empty")
    assert tree.root == Proposition("Q", None, "Ice is cold.", "", 0.95, None, False)
    assert tree.discarded == (Discard("Q", "negation", None, text[:KEPT_CHARS], reason),)


@pytest.mark.parametrize(("text", "reason"), hostile(("it is cold.", SAME)))
def test_an_explanation_without_a_negation_is_left_out(text: str, reason: str) -> None:
    def negate(statement: str, _: int) -> str:
        if reason == SAME and depth_of(statement) == 1:
            return statement
        return text if depth_of(statement) == 1 else f"No: {statement}"

    tree = grow(Scripted(sure_from(1), {"negate": negate}))
    assert [node.id for node in tree.pruned] == ["Q"]
    places = [(side, index) for side in (True, False) for index in range(3)]
    assert {(d.parent, d.kind, d.side, d.reason) for d in tree.discarded} == {
        *((child_id("Q", side, index), "negation", None, reason) for side, index in places),
        *(("Q", "explanation", side, NO_NEGATION) for side, _ in places),
    }


@pytest.mark.parametrize("side", [True, False])
@pytest.mark.parametrize(
    ("text", "reason"),
    hostile(
        ("ice is cold.", ECHO),
        ("Q: Ice is cold? It is.", ECHO),
        ("A: True, because. A: False, because.", ECHO),
    ),
)
def test_an_unusable_explanation_is_discarded_on_its_side(side: bool, text: str, reason: str) -> None:
    kind = "T" if side else "F"
    tree = grow(Scripted(sure_from(1), {kind: lambda *_: text}), tries=2)
    assert {node.side for node in tree.nodes[1:]} == {not side}
    expected = Discard("Q", "explanation", side, text[:KEPT_CHARS], reason)
    assert tree.discarded == (expected,) * 6  # three a try


def test_a_duplicate_is_discarded_on_one_side_but_both_sides_may_say_the_same() -> None:
    model = Scripted(sure_from(1), {kind: lambda *_: " reason one." for kind in "TF"})
    tree = grow(model, tries=1)
    assert [(node.id, node.statement) for node in tree.nodes[1:]] == [
        ("QT0", "Reason one."),
        ("QF0", "Reason one."),
    ]
    twice = [Discard("Q", "explanation", side, " reason one.", DUPLICATE) for side in (True, False)]
    assert Counter(tree.discarded) == Counter(twice * 2)


@pytest.mark.parametrize("kind", ["declare", "negate", "explain"])
def test_the_example_replies_of_a_prompt_set_are_usable(kind: str) -> None:
    for shot in PAPER.forms[kind].shots:
        text = shot.query.partition(": ")[2]
        reply = shot.reply.partition("because" if kind == "explain" else ":")[2]
        statement = text if kind != "explain" else f"{text[:-1]}."
        kinds = ["T", "F"] if kind == "explain" else [kind]
        tree = grow(
            Scripted(sure_from(1), {k: lambda *_, reply=reply: reply for k in kinds}),
            statement,
            depth=1,
        )
        assert [d for d in tree.discarded if d.reason != DUPLICATE] == [], shot


@pytest.mark.parametrize("lines", [1, 2])
def test_an_echo_of_a_prompts_lines_is_discarded(lines: int) -> None:
    def echo(prompt: Prompt, _: int) -> str:
        return " ".join(prompt.query.splitlines()[:lines]).rstrip("?.") + "."

    lm = ScriptedLanguageModel(echo, lambda *_: 0.5)
    (growth,) = elicit(["Ice is cold."], lm, load_prompts("chat"), replace(REFERENCE, depth=1))
    tree = growth.tree
    assert tree.pruned == (tree.root,)
    assert {d.reason for d in tree.discarded if d.kind == "explanation"} == {ECHO}


# Trying again


@pytest.mark.parametrize("tries", [1, 2, 5])
def test_a_side_without_explanations_is_sampled_a_limited_number_of_times(tries: int) -> None:
    model = Scripted(sure_from(1), {"T": lambda *_: ""})
    grow(model, tries=tries, seed=4)
    asked = model.calls("T")
    assert [call["n"] for call in asked] == [3] * tries
    assert len({call["seed"] for call in asked}) == tries
    assert len(model.calls("F")) == 1


def test_only_missing_explanations_are_sampled_again() -> None:
    replies = iter(["reason 1.", "reason 1.", "", "reason 2.", "", "reason 3."])
    model = Scripted(sure_from(1), {"F": lambda *_: next(replies)})
    tree = grow(model, depth=1, tries=9)
    assert [call["n"] for call in model.calls("F")] == [3, 2, 1]
    assert [node.statement for node in tree.children("Q") if not node.side] == [
        "Reason 1.",
        "Reason 2.",
        "Reason 3.",
    ]


def test_greedy_explanations_are_not_repeated() -> None:
    model = Scripted(replies={"T": lambda *_: "", "F": lambda *_: ""}, belief=sure_from(1))
    grow(model, temperatures=(0.0,), tries=7)
    assert len(model.calls("T")) == len(model.calls("F")) == 1


def test_different_seeds_share_no_random_numbers() -> None:
    def seeds(seed: int) -> set[int]:
        model = Scripted(sure_from(1), {"T": lambda *_: ""})
        grow(model, seed=seed, tries=3)
        return {call["seed"] for call in model.calls("T", "F")}

    drawn = [seeds(seed) for seed in (0, 1, 2)]
    assert drawn == [seeds(seed) for seed in (0, 1, 2)]
    assert sum(map(len, drawn)) == len(set().union(*drawn))


# Belief


def test_a_direct_belief_is_read_without_an_explanation() -> None:
    model = Scripted()
    assert beliefs(grow(model, belief="direct").root) == (0.95, 0.05, True)
    assert [kind for kind, _, _ in model.log] == ["negate", "direct"]
    assert [prompt.query for prompt in model.seen] == ["Q: Ice is cold?", "Q: No: Ice is cold?"]


def test_an_explained_belief_is_read_where_the_explanation_concludes() -> None:
    reply = "  it has\tfrozen. Therefore, the statement is false. Therefore, the statement is true."
    model = Scripted(replies={"belief": lambda *_: reply})
    assert beliefs(grow(model).root) == (0.95, 0.05, True)
    assert {prompt.opening for prompt in model.seen} == {"A: it has frozen. Therefore, the statement is"}


@pytest.mark.parametrize("reply", ["", " It is frozen.", " Therefore, the statement is true.", "therefore, "])
def test_a_belief_is_unknown_when_the_model_explains_nothing_or_concludes_nothing(reply: str) -> None:
    model = Scripted(replies={"belief": lambda *_: reply})
    tree = grow(model, depth=0)
    assert (beliefs(tree.root), model.seen) == ((None, None, False), [])
    assert tree.discarded == (Discard("Q", "belief", None, reply, NO_VERDICT),) * 2


@pytest.mark.parametrize("belief", ["direct", "explained"])
@pytest.mark.parametrize(
    ("verdict", "known"),
    [
        ((0.25, 0.25), 0.5),
        ((0.0, 0.5), 0.0),
        ((0.75, 0.0), 1.0),
        ((0.25, 0.24), None),
        ((0.0, 0.0), None),
    ],
)
def test_a_belief_is_p_true_unless_true_and_false_are_the_smaller_half(
    belief: Belief, verdict: tuple[float, float], known: float | None
) -> None:
    tree = grow(Scripted(lambda _: verdict), belief=belief, depth=0)
    assert beliefs(tree.root) == (known, known, False)
    assert [(d.kind, d.reason) for d in tree.discarded] == [("belief", NO_VERDICT)] * (2 * (known is None))


# What the caller may give


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("depth", -1),
        ("widths", ()),
        ("widths", (3, 0)),
        ("temperatures", ()),
        ("temperatures", (1.0, -0.1)),
        ("temperatures", (math.inf,)),
        ("temperatures", (math.nan,)),
        ("top_p", 0.0),
        ("top_p", 1.01),
        ("top_p", math.nan),
        ("max_new_tokens", 0),
        ("integrity_threshold", -0.01),
        ("integrity_threshold", 1.01),
        ("integrity_threshold", math.nan),
        ("tries", 0),
        ("seed", -1),
        ("belief", "guessed"),
    ],
)
def test_a_setting_out_of_its_range_is_an_error(name: str, value: Any) -> None:
    with pytest.raises(InputError) as error:
        ElicitConfig(**{name: value})
    assert error.value.subject == name


def test_the_bounds_of_the_ranges_are_allowed() -> None:
    config = ElicitConfig(0, (1,), (0.0,), 1.0, 1, 0.0, "direct", 1, 0)
    assert replace(config, integrity_threshold=1.0, depth=50).width(50) == 1
    assert [check_belief(name) for name in ("direct", "explained")] == ["direct", "explained"]


def test_the_last_width_and_temperature_apply_to_all_greater_depths() -> None:
    config = ElicitConfig(depth=9, widths=(5, 2), temperatures=(0.9, 0.7, 0.1))
    assert [config.width(depth) for depth in (1, 2, 3, 9)] == [5, 2, 2, 2]
    assert [config.temperature(depth) for depth in (1, 2, 3, 4, 9)] == [0.9, 0.7, 0.1, 0.1, 0.1]


@pytest.mark.parametrize("bad", ["", " \n ", "x" * 2001, "x" * 100_000])
def test_an_invalid_question_is_rejected_before_any_call(bad: str) -> None:
    model = Scripted()
    with pytest.raises(InputError) as error:
        elicit(["Ice is cold.", bad], model, PAPER, REFERENCE)
    assert error.value.subject == "text"
    assert model.log == []


def test_without_questions_there_are_no_calls() -> None:
    model = Scripted()
    assert (elicit([], model, PAPER, REFERENCE), model.log) == ([], [])


# A real model


class Finishing:
    """A real model whose texts are finished, and whose verdicts are between true and false only."""

    name, prompts = "finishing", "paper"

    def __init__(self, lm: LanguageModel) -> None:
        self.lm = lm

    def sample(self, prompts: Sequence[Prompt], n: int, params: SamplingParams) -> list[list[Completion]]:
        ends = [f" {PAPER.marker}" if kind_of(prompt) == "belief" else "." for prompt in prompts]
        replies = self.lm.sample(prompts, n, params)
        return [
            [replace(completion, text=completion.text + end) for completion in row]
            for row, end in zip(replies, ends, strict=True)
        ]

    def choose(self, prompts: Sequence[Prompt], options: Sequence[str]) -> OptionScores:
        scores = self.lm.choose(prompts, options)
        rows = scores.probabilities
        return replace(scores, probabilities=rows / rows.sum(axis=1, keepdims=True))


@pytest.fixture(scope="module")
def wide_folder(llama_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny Llama with room for few-shot prompts; no weight depends on its window."""
    folder = shutil.copytree(llama_folder, tmp_path_factory.mktemp("models") / "wide")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["max_position_embeddings"] = 4096
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def words_and_beliefs(tree: Tree) -> tuple[Tree, list[float]]:
    """The tree without its beliefs, and those, nan for unknown."""

    def cut(nodes: tuple[Proposition, ...]) -> tuple[Proposition, ...]:
        return tuple(replace(node, p_true=None, p_true_negation=None) for node in nodes)

    numbers = [p for node in (*tree.nodes, *tree.pruned) for p in (node.p_true, node.p_true_negation)]
    words = replace(tree, nodes=cut(tree.nodes), pruned=cut(tree.pruned))
    return words, [math.nan if p is None else p for p in numbers]


def test_a_real_model_grows_the_same_trees_in_any_batch(wide_folder: Path) -> None:
    lm = Finishing(TransformersLM.load(str(wide_folder), device="cpu", dtype="float32"))
    config = replace(REFERENCE, widths=(2, 1), max_new_tokens=8, integrity_threshold=0.22)
    forms = {kind: replace(form, shots=form.shots[:2]) for kind, form in PAPER.forms.items()}
    few = replace(PAPER, forms=forms)  # of twelve examples each, to save time
    questions = ["Is ice cold?", "The sky is blue."]
    growths = elicit(questions, lm, few, config)
    trees = [growth.tree for growth in growths]
    for tree in trees:
        check_invariants(tree, config)
    assert any(len(tree.nodes) + len(tree.pruned) > 5 for tree in trees)
    assert elicit(questions, lm, few, config) == growths
    for question, tree, growth in zip(questions, trees, growths, strict=True):
        (alone,) = elicit([question], lm, few, config)
        words, numbers = words_and_beliefs(alone.tree)
        assert alone.usage == growth.usage
        assert words == words_and_beliefs(tree)[0]
        # Rounding differs with a batch's shape, in float32 by some 1e-6 of a logit.
        np.testing.assert_allclose(numbers, words_and_beliefs(tree)[1], atol=1e-5, equal_nan=True)


def test_a_model_without_usable_replies_gives_an_empty_tree(wide_folder: Path) -> None:
    lm = TransformersLM.load(str(wide_folder), device="cpu", dtype="float32")
    tree = grow(lm, max_new_tokens=4, tries=2)
    check_invariants(tree, REFERENCE)
    assert (tree.kind, tree.root.p_true) == ("empty", None)
    assert {discard.kind for discard in tree.discarded} >= {"negation", "explanation", "belief"}


def test_a_prompt_beyond_the_window_is_an_error(llama_folder: Path) -> None:
    lm = TransformersLM.load(str(llama_folder), device="cpu", dtype="float32")
    with pytest.raises(ContextLengthError) as error:
        grow(lm)
    assert error.value.subject == lm.name
