"""The four steps in their order, on a small world that is written out here."""

from __future__ import annotations

import asyncio
import json
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import pytest

from maieutic.answer import Answer, Models, Seconds
from maieutic.config import REFERENCE, ElicitConfig
from maieutic.errors import FileFormatError, InputError, ModelError
from maieutic.inference import INFERENCES, Inference, Joint, Literal, PairPlan, Verdict, Vote, build_inference
from maieutic.inference.graph import BeliefGraph, root_forms
from maieutic.inference.weights import DEFAULT_WEIGHTS
from maieutic.lm.base import Prompt
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.models import load_models
from maieutic.nli.lm import LanguageModelVerifier
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.pipeline import Maieutic
from maieutic.relate import relate
from maieutic.solvers import load_solver
from maieutic.tree import Proposition, Tree


@dataclass(frozen=True)
class Fact:
    """What the model says of a statement: P(true) of it and of its negation, and reasons for both sides."""

    negation: str
    p: float
    p_negation: float
    reason_true: str = ""
    reason_false: str = ""


# The model wavers on the penguin and on what speaks for it flying; only one reason against is integral.
WORLD = {
    "A penguin can fly.": Fact(
        "A penguin cannot fly.", 0.6, 0.55, "Birds have wings.", "Penguins are too heavy."
    ),
    "Birds have wings.": Fact("Birds have no wings.", 0.7, 0.6),
    "Penguins are too heavy.": Fact("Penguins are light.", 0.95, 0.02),
    "Ice is cold.": Fact("Ice is not cold.", 0.98, 0.01),
    "Ice is hot.": Fact("Ice is not hot.", 0.03, 0.97),
    "Time is long.": Fact("Time is short.", 0.5, 0.5, "Years pass.", "Days pass."),
    "Years pass.": Fact("Years stay.", 0.5, 0.4),
    "Days pass.": Fact("Days stay.", 0.4, 0.5),
}
BELIEF = {text: f.p for text, f in WORLD.items()} | {f.negation: f.p_negation for f in WORLD.values()}
ANSWERS = {"A penguin can fly.": False, "Ice is cold.": True, "Ice is hot.": False, "Time is long.": True}
KINDS = {
    "A penguin can fly.": "grown",
    "Ice is cold.": "one-node",
    "Ice is hot.": "one-node",
    "Time is long.": "empty",
}
STATEMENTS = list(ANSWERS)
ONE_WAVE = replace(REFERENCE, depth=1, widths=(1,))


def statement_of(prompt: Prompt) -> str:
    """The statement that a prompt of the "paper" set is about."""
    return prompt.query.partition(": ")[2].rstrip(".?") + "."


def reply(prompt: Prompt, _index: int) -> str:
    statement = statement_of(prompt)
    if prompt.opening == "Statement:":
        return " A penguin can fly."  # the only question that is asked
    if prompt.opening == "Negation:":
        return f" {WORLD[statement].negation}"
    if prompt.opening == "A:":
        return " So it is. Therefore, the statement is"
    fact = WORLD[statement]
    return " " + (fact.reason_true if "True" in prompt.opening else fact.reason_false).lower()


def probability(prompt: Prompt, option: str) -> float:
    if option in (" true", " false") and not prompt.query.startswith("Premise"):
        p = BELIEF[statement_of(prompt)]
        return p if option == " true" else 1 - p
    return 0.8 if option == " unknown" else 0.1


def judge(premise: str, hypothesis: str) -> str:
    """Weight and flight exclude each other; nothing else has to do with anything else."""
    relations = {"A penguin can fly.": "contradiction", "A penguin cannot fly.": "entailment"}
    return relations.get(hypothesis, "neutral") if premise == "Penguins are too heavy." else "neutral"


def scripted(inference: Inference | None = None, elicit: ElicitConfig = ONE_WAVE) -> Maieutic:
    lm = ScriptedLanguageModel(reply, probability)
    return Maieutic(lm, ScriptedVerifier(judge), elicit=elicit, inference=inference)


def timeless(answer: Answer) -> Answer:
    return replace(answer, seconds=Seconds())


# Argumentation weighs the beliefs alone; it does not hear the verifier.
RELATING = pytest.mark.parametrize("inference", [Joint(), Vote()], ids=["joint", "vote"])


# -- ask -----------------------------------------------------------------------------------------------


@RELATING
def test_the_integral_explanation_of_one_side_decides_a_question_the_model_wavers_on(
    inference: Joint | Vote,
) -> None:
    answer = scripted(inference).ask("Can a  penguin\nfly?")
    assert (answer.question, answer.statement) == ("Can a penguin fly?", "A penguin can fly.")
    assert not answer.answer
    assert answer.margin > 0
    assert answer.labels == {"Q": False, "QF0": True}
    assert [node.id for node in answer.tree.nodes] == ["Q", "QF0"]
    assert [node.id for node in answer.tree.pruned] == ["QT0"]
    assert answer.verdict.solver == {"joint": "rc2-stratified", "vote": "rc2"}[inference.name]
    assert answer.models == Models("scripted", "scripted", "probabilities")
    assert min(answer.seconds.elicit, answer.seconds.relate, answer.seconds.solve) >= 0


@RELATING
@pytest.mark.parametrize("statement", STATEMENTS)
def test_every_kind_of_tree_gets_its_answer(inference: Inference, statement: str) -> None:
    answer = scripted(inference).ask(statement)
    assert answer.answer == ANSWERS[statement]
    assert answer.tree.kind == KINDS[statement]
    assert answer.question == answer.statement == statement


def test_the_options_given_are_the_ones_used() -> None:
    lm = ScriptedLanguageModel(reply, probability)
    heavy = replace(DEFAULT_WEIGHTS, root=3.0, true_child=0.125, false_child=0.125)
    joint = Joint(heavy, solver=load_solver("exhaustive"))
    answer = Maieutic(lm, ScriptedVerifier(judge), elicit=ONE_WAVE, inference=joint).ask("A penguin can fly.")
    verdict = answer.verdict
    assert verdict.solver == "exhaustive"
    assert {c.weight for c in verdict.constraints if c.kind == "tree"} == {0.125}
    (of_q,) = (c for c in verdict.constraints if c.source == Literal("Q") and c.kind == "belief")
    of_negation = heavy.root_negation * heavy.log_odds(0.55, 0.45)
    assert of_q.weight == pytest.approx(3 * heavy.log_odds(0.6, 0.4) - of_negation)


@pytest.mark.parametrize("question", ["", " \n", "x" * 2001])
def test_an_empty_or_endless_question_is_refused(question: str) -> None:
    with pytest.raises(InputError) as refused:
        scripted().ask(question)
    assert refused.value.subject == "text"


def test_an_answer_to_text_that_is_not_unicode_is_refused_or_can_be_written() -> None:
    # What os.fsdecode makes of an argument that is not UTF-8: a lone surrogate.
    lm = ScriptedLanguageModel(lambda *_: " It is not.", lambda *_: 0.9)
    try:
        answer = Maieutic(lm, ScriptedVerifier(judge), elicit=ElicitConfig(depth=0)).ask("Caf\udce9 is open.")
    except InputError as error:
        assert "Caf" in str(error)
    else:
        assert Answer.from_json(answer.to_json()) == answer


def test_asking_works_inside_a_running_event_loop() -> None:
    async def ask_both() -> tuple[Answer, list[Answer]]:
        return scripted().ask("Ice is hot."), list(scripted().ask_many(["Ice is cold.", "Ice is hot."]))

    one, many = asyncio.run(ask_both())
    assert (one.answer, [answer.answer for answer in many]) == (False, [True, False])


# -- ask_many ------------------------------------------------------------------------------------------


@dataclass
class Endless:
    """Statements without an end, and how many of them were taken."""

    taken: int = 0

    def __iter__(self) -> Iterator[str]:
        while True:
            self.taken += 1
            yield STATEMENTS[self.taken % len(STATEMENTS)]


@pytest.mark.parametrize("batch_size", [1, 2, 3])
def test_questions_are_taken_batch_by_batch_as_answers_are_wanted(batch_size: int) -> None:
    questions = Endless()
    answers = scripted().ask_many(questions, batch_size)
    assert questions.taken == 0
    for number in range(1, 3 * batch_size + 1):
        next(answers)
        assert questions.taken == -(-number // batch_size) * batch_size


def test_answers_that_were_handed_out_are_not_kept() -> None:
    batch_size, alive = 4, 0
    handed_out: list[weakref.ref[Answer]] = []
    for answer in islice(scripted().ask_many(Endless(), batch_size), 10 * batch_size):
        handed_out.append(weakref.ref(answer))
        alive = max(alive, sum(ref() is not None for ref in handed_out))
    assert alive <= batch_size


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_answers_come_in_the_order_of_the_questions_one_for_each(batch_size: int) -> None:
    questions = [STATEMENTS[(index * 3 + index // 4) % len(STATEMENTS)] for index in range(11)]
    answers = list(scripted().ask_many(questions, batch_size))
    assert [answer.question for answer in answers] == questions
    assert [answer.answer for answer in answers] == [ANSWERS[question] for question in questions]


@pytest.mark.parametrize("name", INFERENCES)
def test_the_company_in_a_batch_changes_no_answer(name: str) -> None:
    elicit = replace(REFERENCE, depth=2, widths=(2, 1))  # sides fall short here, and are asked again
    maieutic = scripted(build_inference(name, {}), elicit)
    alone = [timeless(maieutic.ask(statement)) for statement in STATEMENTS]
    together = [timeless(answer) for answer in maieutic.ask_many(STATEMENTS)]
    assert together == alone


def test_one_batch_is_one_call_of_the_verifier_however_many_questions() -> None:
    lm, verifier = ScriptedLanguageModel(reply, probability), ScriptedVerifier(judge)
    maieutic = Maieutic(lm, verifier, elicit=ONE_WAVE)
    list(maieutic.ask_many(["A penguin can fly."]))
    calls, pairs = len(lm.sample_calls), len(verifier.pairs)
    list(maieutic.ask_many(["A penguin can fly."] * 9))
    assert len(lm.sample_calls) == 2 * calls
    assert len(verifier.pairs) == 2 * pairs  # no pair is scored twice in a batch


def test_only_joint_asks_the_verifier_what_q_itself_entails() -> None:
    for inference, wanted in ((Joint(), True), (Vote(), False)):
        verifier = ScriptedVerifier(judge)
        lm = ScriptedLanguageModel(reply, probability)
        Maieutic(lm, verifier, elicit=ONE_WAVE, inference=inference).ask("A penguin can fly.")
        premises = {premise for premise, _ in verifier.pairs}
        assert ({"A penguin can fly.", "A penguin cannot fly."} <= premises) == wanted
        assert "Penguins are too heavy." in premises


@pytest.mark.parametrize("batch_size", [1, 2, 3, 16])
def test_the_answers_before_a_bad_question_come_first_and_then_the_refusal(batch_size: int) -> None:
    answers = scripted().ask_many(["Ice is cold.", "Ice is hot.", " ", "Time is long."], batch_size)
    assert [next(answers).question for _ in range(2)] == ["Ice is cold.", "Ice is hot."]
    with pytest.raises(InputError) as refused:
        next(answers)
    assert refused.value.subject == "text"
    assert list(answers) == []


def test_the_answers_before_an_error_of_the_source_come_first() -> None:
    def source() -> Iterator[str]:
        yield "Ice is cold."
        raise InputError("line 2: not UTF-8; convert it", subject="line 2")

    answers = scripted().ask_many(source())
    assert next(answers).answer
    with pytest.raises(InputError) as refused:
        next(answers)
    assert refused.value.subject == "line 2"


def test_no_questions_get_no_answers() -> None:
    assert list(scripted().ask_many([])) == []


@pytest.mark.parametrize("batch_size", [0, -1])
def test_a_batch_of_fewer_than_one_question_is_refused(batch_size: int) -> None:
    with pytest.raises(InputError) as refused:
        list(scripted().ask_many(["Ice is cold."], batch_size))
    assert refused.value.subject == "batch_size"


# -- ready trees ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", INFERENCES)
def test_trees_that_are_grown_already_get_the_answers_they_got_when_they_grew(name: str) -> None:
    maieutic = scripted(build_inference(name, {}))
    grown = list(maieutic.ask_many(STATEMENTS))
    growths = maieutic.grow(STATEMENTS)
    assert list(map(timeless, maieutic.conclude(growths))) == list(map(timeless, grown))
    trees = [Tree.from_json(answer.tree.to_json()) for answer in grown]
    assert [growth.tree for growth in growths] == trees
    for again, answer, growth in zip(maieutic.conclude(trees), grown, growths, strict=True):
        assert again.usage + growth.usage == answer.usage
        elsewhere = replace(
            answer, models=replace(answer.models, lm=None, belief_source=None), usage=again.usage
        )
        assert timeless(again) == timeless(elsewhere)


@pytest.mark.parametrize("name", INFERENCES)
def test_an_answer_is_the_four_steps_one_after_the_other(name: str) -> None:
    inference = build_inference(name, {})
    maieutic = scripted(inference)
    (growth,) = maieutic.grow(["A penguin can fly."])
    (related,) = relate([growth.tree], ScriptedVerifier(judge), inference)
    verdict = inference.infer(growth.tree, related.graph)
    verifier_name = "scripted" if inference.uses_verifier else "none"
    models = Models("scripted", verifier_name, "probabilities")
    usage = growth.usage + related.usage
    expected = Answer(growth.tree, related.graph, verdict, models, usage=usage)
    assert timeless(maieutic.ask("A penguin can fly.")) == expected


def test_no_trees_get_no_answers() -> None:
    assert list(scripted().conclude([])) == []


def test_the_gold_answer_of_a_tree_does_not_reach_its_answer() -> None:
    root = Proposition("Q", None, "Ice is cold.", "Ice is not cold.", 0.98, 0.01, True)
    for gold in (None, True, False):
        tree = Tree("Ice is cold.", "Ice is cold.", "Ice is not cold.", (root,), answer=gold)
        (answer,) = scripted().conclude([tree])
        assert answer.answer


# -- inferences ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Own:
    """Somebody's own inference: what the verifier finds of Q and ¬Q alone, true where Q entails ¬Q less."""

    threshold: float = 0.5
    name: str = "own"
    uses_verifier: bool = True

    def plan(self, tree: Tree) -> PairPlan:
        roots = root_forms(tree)
        return PairPlan(BeliefGraph(roots), (roots,))

    def infer(self, tree: Tree, graph: BeliefGraph) -> Verdict:
        (relation,) = graph.relations
        answer = relation.entailment < self.threshold
        margin = abs(relation.entailment - self.threshold)
        return Verdict(self.name, answer, margin, "probability", {"Q": answer})


def test_an_inference_of_ones_own_takes_the_place_of_the_packages() -> None:
    lm, verifier = ScriptedLanguageModel(reply, probability), ScriptedVerifier(lambda *_: "neutral")
    maieutic = Maieutic(lm, verifier, elicit=ONE_WAVE, inference=Own())
    answers = list(maieutic.ask_many(STATEMENTS))
    assert [answer.answer for answer in answers] == [True] * len(STATEMENTS)
    assert verifier.pairs == [(text, WORLD[text].negation) for text in STATEMENTS]
    assert {answer.verdict.inference for answer in answers} == {"own"}
    assert [Answer.from_json(answer.to_json()) for answer in answers] == answers
    strict = Maieutic(lm, verifier, elicit=ONE_WAVE, inference=Own(threshold=0.01))
    assert not strict.ask("Ice is cold.").answer


@pytest.mark.parametrize(
    ("name", "settings", "subject"),
    [
        ("sum", {}, "inference"),
        ("Joint", {}, "inference"),
        ("", {}, "inference"),
        ("vote", {"merge": True}, "merge"),
        ("vote", {"abstain_below": 0.9}, "abstain_below"),
        ("vote", {"decided": True, "assumptions": ()}, "assumptions"),
        ("argue", {"use_verifier": False}, "use_verifier"),
        ("argue", {"solver": None}, "solver"),
        ("joint", {"name": "vote"}, "name"),
        ("joint", {"pruned": 2.0}, "pruned"),
    ],
)
def test_an_unknown_inference_or_setting_is_refused_by_name(
    name: str, settings: dict[str, object], subject: str
) -> None:
    with pytest.raises(InputError) as refused:
        build_inference(name, settings)
    assert refused.value.subject == subject


@pytest.mark.parametrize("name", INFERENCES)
def test_an_inference_goes_by_the_name_it_is_built_from(name: str) -> None:
    inference = build_inference(name, {})
    assert inference == INFERENCES[name]()
    assert inference.name == name
    assert scripted(inference).ask("Ice is cold.").verdict.inference == name


def test_settings_by_name_are_those_of_the_class() -> None:
    settings = {"merge": True, "pruned": 0.5, "weights": DEFAULT_WEIGHTS}
    assert build_inference("joint", settings) == Joint(DEFAULT_WEIGHTS, merge=True, pruned=0.5)
    assert build_inference("vote", {"decided": True}) == Vote(decided=True)


# -- loading by name -----------------------------------------------------------------------------------


def test_a_prompt_file_that_cannot_be_used_is_named_before_any_model_is_looked_for(tmp_path: Path) -> None:
    missing = tmp_path / "no-such-model"
    with pytest.raises(FileFormatError) as refused:
        load_models(str(missing), "lm", prompts=str(tmp_path / "none.toml"))
    assert refused.value.path == str(tmp_path / "none.toml")
    with pytest.raises(ModelError) as no_model:
        load_models(str(missing), "lm", prompts="chat")
    assert str(missing) in str(no_model.value)


@pytest.mark.parametrize(("folder", "prompts"), [("llama_folder", "paper"), ("chat_folder", "chat")])
def test_the_language_model_can_be_its_own_verifier_with_the_prompts_that_suit_it(
    folder: str, prompts: str, request: pytest.FixtureRequest
) -> None:
    path: Path = request.getfixturevalue(folder)
    models = load_models(str(path), "lm", device="cpu", dtype="float32")
    assert isinstance(models.verifier, LanguageModelVerifier)
    assert models.verifier.name == f"lm:{models.lm.name}"
    assert models.prompts.name == models.lm.prompts == prompts


def test_prompts_that_are_named_are_used_whatever_suits_the_model(
    llama_folder: Path, nli_folder: Path
) -> None:
    models = load_models(str(llama_folder), str(nli_folder), prompts="chat", device="cpu", dtype="float32")
    assert models.prompts.name == "chat"
    assert models.verifier.name == str(nli_folder)
    assert models.verifier.predict([("the sky is blue", "the sky is red")]).shape == (1, 3)


def test_an_answer_of_the_whole_pipeline_survives_json() -> None:
    answer = scripted().ask("A penguin can fly.")
    assert Answer.from_json(answer.to_json()) == answer
    assert json.loads(answer.to_json())["models"]["lm"] == "scripted"
