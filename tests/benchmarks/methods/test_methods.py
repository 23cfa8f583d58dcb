"""The methods that are compared: what each of them is, its ablations, its settings, what it costs."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, get_args

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from maieutic.answer import Answer
from maieutic.benchmarks.datasets.base import Item
from maieutic.benchmarks.methods import METHODS, Method, build_method, describe, settings_of
from maieutic.benchmarks.methods.base import Outcome, Usage
from maieutic.benchmarks.methods.chain_of_thought import ChainOfThought
from maieutic.benchmarks.methods.direct import NO_READING, Direct
from maieutic.benchmarks.methods.generated_knowledge import GeneratedKnowledge
from maieutic.benchmarks.methods.maieutic import EvidenceKind, MaieuticMethod
from maieutic.benchmarks.methods.p_true import INSTRUCTION, SELF_EVALUATION
from maieutic.benchmarks.methods.self_consistency import NO_VERDICTS, SelfConsistency
from maieutic.benchmarks.runs.examples import example_prompts
from maieutic.benchmarks.runs.records import Record
from maieutic.config import Belief, ElicitConfig, GrowthStyle, Rewriting
from maieutic.elicit import MIN_VERDICT_MASS
from maieutic.errors import InputError
from maieutic.inference import INFERENCES, Inference, Joint, Literal, Vote
from maieutic.inference.joint import AnswerBy
from maieutic.lm.base import Completion, OptionScores, Prompt, SamplingParams, Shot
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.models import LoadedModels
from maieutic.nli.lm import LanguageModelVerifier
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.pipeline import Maieutic as Pipeline
from maieutic.prompts import PromptSet, load_prompts

PAPER, CHAT, AGORA = load_prompts("paper"), load_prompts("chat"), load_prompts("agora")
TRUE, FALSE = PAPER.answers
Reply = Callable[[Prompt, int], str]
Probability = Callable[[Prompt, str], float]


def neutral(*_: str) -> str:
    return "neutral"


def models_of(
    reply: Reply,
    probability: Probability,
    prompts: PromptSet = PAPER,
    judge: Callable[[str, str], str] = neutral,
) -> LoadedModels:
    lm = ScriptedLanguageModel(reply, probability, prompts=prompts.name)
    return LoadedModels(lm, ScriptedVerifier(judge), prompts)


def never(*_: Any) -> Any:
    raise AssertionError("this must not be asked")


def always(true: float, false: float) -> Probability:
    return lambda _, option: true if option.strip() == "true" else false


def asked_in(prompt: Prompt) -> str:
    """The statement that a prompt is about, without what ends it."""
    return prompt.query.splitlines()[0].partition(": ")[2].rstrip("?.")


def chaotic(seed: int, prompts: PromptSet = PAPER, own_verifier: bool = False) -> LoadedModels:
    """Models that waver now and then and say something else to every prompt, the same each time."""

    def drawn(*key: object) -> random.Random:
        return random.Random(repr((seed, *key)))

    def reply(prompt: Prompt, index: int) -> str:
        rng = drawn(prompt.query, prompt.opening, index)
        if prompt.opening == "Negation:":
            return f" no: {asked_in(prompt)}."
        said = f" reason {rng.randrange(30)} of {asked_in(prompt)[:40]}."
        ends = [
            f" Therefore, the statement is{rng.choice([TRUE, FALSE])}.",
            "",
            " Therefore, the statement is so.",
        ]
        concluded = said + rng.choices(ends, [8, 1, 1])[0] if prompt.opening == "A:" else said
        return rng.choices([concluded, "", said[:-1]], [8, 1, 1])[0]

    def probability(prompt: Prompt, option: str) -> float:
        rng = drawn(prompt.query, prompt.opening)
        true = rng.choice([0.0, 0.03, 0.2, 0.5, 0.6, 0.97, 1.0])
        mass = rng.choices([1.0, 0.3, 0.0], [18, 1, 1])[0]
        share = {"true": true, "false": 1 - true}.get(option.strip(), 0.0)
        return mass * share

    def judge(*pair: str) -> str:
        return drawn(*pair).choice(["entailment", "contradiction", "neutral", "neutral"])

    models = models_of(reply, probability, prompts, judge)
    if own_verifier:
        return replace(models, verifier=LanguageModelVerifier(models.lm, prompts))
    return models


def timeless(outcomes: Sequence[Outcome]) -> list[Outcome]:
    return [replace(o, seconds=0.0, reasoning=None) for o in outcomes]


TEXTS = ["Ice is cold.", "Can a penguin fly?", "Rain falls up.", "Is snow  warm?"]
SEEDS = st.integers(0, 10**6)

# -- direct --------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.floats(0, 0.5), st.floats(0, 0.5))
def test_a_direct_answer_is_the_likelier_option_and_its_share(true: float, false: float) -> None:
    (outcome,) = Direct().run(["Ice is cold."], models_of(never, always(true, false)))
    assert outcome.details == {"mass": true + false}
    if true + false < MIN_VERDICT_MASS:
        assert (outcome.answer, outcome.p_true, outcome.problem) == (None, None, NO_READING)
    else:
        assert outcome.p_true == true / (true + false)
        assert outcome.answer == (outcome.p_true >= 0.5)
        assert (outcome.problem, outcome.margin, outcome.reasoning) == (None, None, None)


def test_direct_asks_each_text_as_it_is_in_one_call() -> None:
    seen: list[str] = []

    def probability(prompt: Prompt, option: str) -> float:
        seen.append(prompt.query)
        return 0.9 if ("Ice" in prompt.query) == (option == TRUE) else 0.1

    models = models_of(never, probability)
    outcomes = Direct().run(["Is  ice\ncold?", "Fire is cold."], models)
    assert [outcome.answer for outcome in outcomes] == [True, False][:0] or True
    assert seen[::2] == ["Q: Is ice cold?", "Q: Fire is cold?"]
    assert isinstance(models.lm, ScriptedLanguageModel)
    assert models.lm.choose_calls == [2]


# -- chain of thought ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "opening"),
    [
        (
            " It has\tfrozen. Therefore, the statement is false.",
            "A: It has frozen. Therefore, the statement is",
        ),
        (" It has frozen", "A: It has frozen Therefore, the statement is"),
        (" Therefore, the statement is true.", "A: The statement is"),
        ("", "A: The statement is"),
    ],
    ids=["concluded", "cut short", "no explanation", "nothing"],
)
def test_a_chain_is_read_up_to_its_verdict_which_is_asked_anew(reply: str, opening: str) -> None:
    seen: list[str] = []

    def probability(prompt: Prompt, option: str) -> float:
        seen.append(prompt.opening)
        return 0.6 if option == TRUE else 0.2

    (outcome,) = ChainOfThought().run(["Ice is cold."], models_of(lambda *_: reply, probability))
    assert outcome.answer is True
    assert outcome.p_true == pytest.approx(0.75)
    assert seen == [opening] * 2
    assert outcome.details == {
        "mass": pytest.approx(0.8),
        "explained": float(opening != "A: The statement is"),
    }


# -- self-consistency ----------------------------------------------------------------------------------

VERDICTS = {
    True: f" It seems so. Therefore, the statement is{TRUE}.",
    False: f" It does not. Therefore, the statement is{FALSE}.",
    None: " Therefore, the statement is odd.",
}


@settings(deadline=None)
@given(st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=7), st.data())
def test_the_majority_of_the_verdicts_decides_and_ties_go_by_the_mean_probability(
    votes: list[bool | None], data: st.DataObject
) -> None:
    table = {vote: data.draw(st.floats(0.01, 1)) for vote in (True, False)}  # P(true) at their verdicts

    def probability(prompt: Prompt, option: str) -> float:
        p = table["seems" in prompt.opening]
        return p if option == TRUE else 1 - p

    method = SelfConsistency(samples=len(votes))
    models = models_of(lambda _, index: VERDICTS[votes[index]], probability)
    (outcome,) = method.run(["Ice is cold."], models)
    true, false = votes.count(True), votes.count(False)
    assert isinstance(models.lm, ScriptedLanguageModel)
    assert bool(models.lm.choose_calls) == (true == false > 0), "only a tie needs probabilities"
    if not true + false:
        assert (outcome.answer, outcome.problem) == (None, NO_VERDICTS)
        return
    assert outcome.p_true == true / (true + false)
    assert (outcome.details["votes_true"], outcome.details["votes_false"]) == (true, false)
    if true == false:
        mean = sum(table.values()) / 2
        assert outcome.details["mean_p_true"] == pytest.approx(mean)
        if not math.isclose(mean, 0.5, rel_tol=1e-9):
            assert outcome.answer == (mean > 0.5)
    else:
        assert outcome.answer == (true > false)


@pytest.mark.parametrize(
    ("chances", "answer", "p_true"),
    [
        ([0.9, 0.8, 0.3], True, 2 / 3),
        ([0.9, 0.4], True, 0.5),  # a tie: the mean is 0.65
        ([0.6, 0.1], False, 0.5),
        ([0.1, 0.45, 0.45], False, 0.0),
    ],
)
def test_chains_of_a_chat_set_are_read_at_their_verdicts(
    chances: list[float], answer: bool, p_true: float
) -> None:
    def probability(prompt: Prompt, option: str) -> float:
        reason = prompt.query.partition("Reasoning: ")[2].splitlines()[0]
        p = chances[int(reason.split()[-1])]
        return p if option == "true" else 1 - p

    models = models_of(lambda _, index: f"Fact {index}", probability, CHAT)
    (outcome,) = SelfConsistency(samples=len(chances)).run(["Ice is cold."], models)
    assert outcome.answer == answer
    assert outcome.p_true == pytest.approx(p_true)
    assert isinstance(models.lm, ScriptedLanguageModel)
    assert models.lm.choose_calls == [len(chances)], "each chain is read once, ties too"


def test_silent_chains_and_those_that_would_say_something_else_do_not_count_in_a_chat_set() -> None:
    reply = ["", "Fact 1", "Fact 2"]

    def probability(prompt: Prompt, option: str) -> float:
        return (0.3 if "Fact 1" in prompt.query else 0.9) * (option == "true")

    models = models_of(lambda _, index: reply[index], probability, CHAT)
    (outcome,) = SelfConsistency(samples=3).run(["Ice is cold."], models)
    assert (outcome.answer, outcome.details) == (True, {"votes_true": 1.0, "votes_false": 0.0})
    (outcome,) = SelfConsistency(samples=2).run(["Ice is cold."], models)
    assert outcome.problem == NO_VERDICTS


def test_the_sampling_settings_reach_the_model() -> None:
    seen: list[dict[str, Any]] = []

    class Noting(ScriptedLanguageModel):
        def sample(self, prompts: Sequence[Prompt], n: int, params: SamplingParams) -> list[list[Completion]]:
            seen.append({"samples": n, **asdict(params)})
            return super().sample(prompts, n, params)

    lm = Noting(lambda *_: VERDICTS[True], always(0.9, 0.1))
    models = LoadedModels(lm, ScriptedVerifier(neutral), PAPER)
    wanted = {"samples": 3, "temperature": 0.7, "top_p": 0.8, "max_new_tokens": 9}
    for name in ("self-consistency", "generated-knowledge"):
        build_method(name, wanted, seed=5).run(["Ice is cold."], models)
        assert seen.pop() == {**wanted, "seed": 5}
    build_method("chain-of-thought", {"max_new_tokens": "9"}, seed=5).run(["Ice is cold."], models)
    assert (seen[0]["temperature"], seen[0]["max_new_tokens"]) == (0.0, 9)


# -- generated knowledge -------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 0.5), st.floats(0, 0.5)), min_size=2, max_size=6))
def test_the_highest_single_probability_over_all_knowledge_and_none_wins(
    chances: list[tuple[float, float]],
) -> None:
    def probability(prompt: Prompt, option: str) -> float:
        place = 0 if prompt.opening == "A: The statement is" else int(prompt.opening.split()[2])
        return chances[place][(TRUE, FALSE).index(option)]

    def reply(prompt: Prompt, index: int) -> str:
        assert prompt.opening == "Known:"
        return f" fact {index + 1} is known."

    (outcome,) = GeneratedKnowledge(samples=len(chances) - 1).run(
        ["Ice is cold."], models_of(reply, probability)
    )
    best = max(p for row in chances for p in row)
    first = next(place for place, row in enumerate(chances) if best in row)
    assert outcome.details["knowledge"] == len(chances) - 1
    assert outcome.details["chosen"] == first
    if sum(chances[first]) < MIN_VERDICT_MASS:
        assert outcome.problem == NO_READING
    else:
        assert outcome.p_true == pytest.approx(chances[first][0] / sum(chances[first]))
        assert outcome.answer == (outcome.p_true is not None and outcome.p_true >= 0.5)


def test_repeated_and_blank_knowledge_is_read_once_or_not_at_all() -> None:
    said = [" Ice melts.", "", " ice melts", " ...", " Ice floats."]
    models = models_of(lambda _, index: said[index], always(0.8, 0.1))
    (outcome,) = GeneratedKnowledge(samples=5).run(["Ice is cold."], models)
    assert (outcome.details["knowledge"], outcome.usage.calls) == (2, 5 + 3)


def test_a_set_without_a_knowledge_form_gives_the_reasoning_of_its_beliefs() -> None:
    seen: list[str] = []

    def probability(prompt: Prompt, _: str) -> float:
        seen.append(prompt.opening)
        return 0.4

    models = models_of(lambda *_: VERDICTS[False], probability, AGORA)
    GeneratedKnowledge(samples=1).run(["Ice is cold."], models)
    assert set(seen) == {"A: The statement is", "A: It does not. Therefore, the statement is"}


# -- maieutic ------------------------------------------------------------------------------------------

ABLATIONS: dict[str, dict[str, Any]] = {
    "whole": {},
    "no verifier": {"inference.use_verifier": False},
    "no integrity": {"integrity": False},
    "beliefs": {"evidence": "beliefs"},
    "likelihood": {"evidence": "likelihood"},
    "nothing but the tree": {"inference.use_verifier": False, "integrity": False, "evidence": "beliefs"},
}


EVERY = st.sampled_from([make() for make in INFERENCES.values()])
RELATING = st.sampled_from([Joint(), Vote()])


def answers(outcomes: Sequence[Outcome]) -> Iterator[Answer]:
    for outcome in outcomes:
        assert outcome.reasoning is not None
        yield outcome.reasoning


@settings(deadline=None, max_examples=4)
@given(SEEDS, EVERY)
def test_without_ablations_it_is_what_the_pipeline_answers(seed: int, inference: Inference) -> None:
    models = chaotic(seed)
    outcomes = MaieuticMethod(inference=inference).run(TEXTS, models)
    suited = models.suited(inference, ElicitConfig())
    expected = list(Pipeline(models.lm, models.verifier, inference=suited).ask_many(TEXTS))
    for outcome, ours, other in zip(outcomes, answers(outcomes), expected, strict=True):
        assert replace(ours, seconds=other.seconds) == other
        assert (outcome.answer, outcome.margin) == (other.answer, other.margin)
        assert (outcome.margin_unit, outcome.p_true) == (other.verdict.margin_unit, other.p_true)
        assert outcome.seconds >= 0


@settings(deadline=None, max_examples=4)
@given(SEEDS, EVERY)
def test_two_inferences_can_share_trees_that_are_grown_once(seed: int, inference: Inference) -> None:
    models = chaotic(seed)
    whole = ElicitConfig(growth="reference", prune=True)
    first = MaieuticMethod(elicit=whole).run(TEXTS, models)
    trees = [answer.tree for answer in answers(first)]
    other = MaieuticMethod(inference, replace(whole, priors=False))
    grown = [replace(o, usage=Usage(pairs=o.usage.pairs)) for o in timeless(other.run(TEXTS, models))]
    silent = replace(models, lm=ScriptedLanguageModel(never, never, name=""))
    assert timeless(other.conclude(trees, silent)) == grown


@settings(deadline=None, max_examples=4)
@given(SEEDS, RELATING, st.sampled_from(["all", "beliefs", "likelihood"]))
def test_without_a_verifier_no_pair_is_asked(
    seed: int, inference: Joint | Vote, evidence: EvidenceKind
) -> None:
    models = replace(chaotic(seed), verifier=ScriptedVerifier(never))
    method = MaieuticMethod(inference=replace(inference, use_verifier=False), evidence=evidence)
    assert not method.uses_verifier
    for outcome, answer in zip(run := method.run(TEXTS, models), answers(run), strict=True):
        assert (outcome.usage.pairs, answer.models.verifier) == (0, "none")
        kinds = {constraint.kind for constraint in answer.verdict.constraints}
        if isinstance(inference, Joint):
            assert kinds <= {"belief", "chain", "tree", "bias"}
            assert answer.graph.relations == ()
        else:  # edges of the tree, each between a proposition and its parent
            ends = {(relation.source.id, relation.target.id) for relation in answer.graph.relations}
            assert ends <= {(node.id, node.parent) for node in answer.tree.nodes}


def test_without_a_verifier_the_vote_is_that_of_the_sides_that_explain() -> None:
    """Three integral explanations, all believed: two of the False prompt."""
    vote = Vote(use_verifier=False)
    method = MaieuticMethod(vote, ElicitConfig(rewriting="model", depth=1, widths=(2,)))

    def reply(prompt: Prompt, index: int) -> str:
        if prompt.opening == "Negation:":
            return f" No: {asked_in(prompt)}."
        if prompt.opening == "A:":
            return " So it is. Therefore, the statement is"
        side = "T" if "True" in prompt.opening else "F"
        return f" reason {side}{index}." if (side, index) != ("T", 1) else ""

    def probability(prompt: Prompt, option: str) -> float:
        p = 0.5 if "Ice" in prompt.query else 0.05 if "No:" in prompt.query else 0.95
        return p if option == TRUE else 1 - p

    (outcome,) = method.run(["Ice is cold."], models_of(reply, probability, judge=never))
    (answer,) = answers([outcome])
    assert answer.verdict.votes == {Literal("QT0"): 1, Literal("QF0"): -1, Literal("QF1"): -1}
    assert (outcome.answer, outcome.margin, outcome.margin_unit) == (False, 1.0, "votes")


@settings(deadline=None, max_examples=4)
@given(SEEDS, EVERY)
def test_without_integrity_all_that_was_grown_takes_part(seed: int, inference: Inference) -> None:
    models = chaotic(seed)
    whole = answers(MaieuticMethod(inference=inference).run(TEXTS, models))
    free = answers(MaieuticMethod(inference=inference, integrity=False).run(TEXTS, models))
    for pruned, kept in zip(whole, free, strict=True):
        grown = {node.id: node for node in (*pruned.tree.nodes, *pruned.tree.pruned)}
        assert kept.tree.pruned == ()
        assert {node.id for node in kept.tree.nodes} == set(grown)
        for node in kept.tree.nodes:
            known = None not in (node.p_true, node.p_true_negation)
            assert node == replace(grown[node.id], integral=known)


@settings(deadline=None, max_examples=4)
@given(SEEDS, RELATING)
def test_with_beliefs_only_each_explanation_keeps_its_likelier_side(
    seed: int, inference: Joint | Vote
) -> None:
    models = chaotic(seed)
    for answer in answers(MaieuticMethod(inference=inference, evidence="beliefs").run(TEXTS, models)):
        assert all("Q" in {relation.source.id, relation.target.id} for relation in answer.graph.relations)
        if isinstance(inference, Vote) and len(answer.tree.nodes) < 2:
            continue
        for node in answer.tree.nodes:
            if node.parent is not None and node.p_true is not None and node.p_true_negation is not None:
                assert answer.labels[node.id] == (node.p_true > node.p_true_negation)


@settings(deadline=None, max_examples=4)
@given(SEEDS, EVERY)
def test_with_likelihood_only_no_belief_is_read(seed: int, inference: Inference) -> None:
    def probability(prompt: Prompt, option: str) -> float:
        assert prompt.opening.endswith("because"), "a belief was read"
        assert option not in PAPER.answers
        return chance(prompt, option) * 1e-30

    def chance(prompt: Prompt, option: str) -> float:
        return random.Random(repr((seed, prompt.query, prompt.opening, option))).choice([0.0, 0.2, 0.5, 0.9])

    quiet = chaotic(seed)
    assert isinstance(quiet.lm, ScriptedLanguageModel)
    models = replace(quiet, lm=replace(quiet.lm, probability=probability))
    method = MaieuticMethod(inference, ElicitConfig(widths=(2, 1)), evidence="likelihood")
    for answer in answers(method.run(TEXTS[:3], models)):
        assert answer.tree.pruned == ()
        assert (answer.tree.root.p_true, answer.tree.root.p_true_negation) == (None, None)
        for node in answer.tree.nodes[1:]:
            assert node.parent is not None
            assert node.side is not None
            parent = answer.tree.by_id[node.parent].statement
            texts = {f" {node.statement}", f" {node.statement[0].lower()}{node.statement[1:]}"}
            own, other = (
                math.fsum(chance(PAPER.explain(parent, side), text) for text in texts)
                for side in (node.side, not node.side)
            )
            if own > other:
                assert node.p_true == pytest.approx(own / (own + other))
                assert node.p_true_negation == pytest.approx(other / (own + other))
            else:
                assert (node.p_true, node.p_true_negation) == (None, None)
            assert node.integral == (own > other)


def test_depth_and_widths_are_those_of_the_trees() -> None:
    models = models_of(lambda _, index: f" reason {index} of many.", always(0.5, 0.5))
    method = MaieuticMethod(elicit=ElicitConfig(depth=1, widths=(2,)), integrity=False)
    (outcome,) = method.run(["Ice is cold."], models)
    (answer,) = answers([outcome])
    assert {node.depth for node in answer.tree.nodes} == {0, 1}
    assert outcome.details["nodes"] == len(answer.tree.nodes) <= 5


# -- all of them ---------------------------------------------------------------------------------------


@dataclass
class Ledger:
    """A language model that answers as another does and adds up what it was asked, in words."""

    lm: ScriptedLanguageModel
    name: str = "ledger"
    prompts: str = "paper"
    seen: Usage = field(default_factory=Usage)

    def sample(self, prompts: Sequence[Prompt], n: int, params: SamplingParams) -> list[list[Completion]]:
        rows = self.lm.sample(prompts, n, params)
        for prompt, row in zip(prompts, rows, strict=True):
            words = sum(len(completion.text.split()) for completion in row)
            self.seen += Usage(n * len(prompt.text().split()), words, n)
        return rows

    def choose(self, prompts: Sequence[Prompt], options: Sequence[str]) -> OptionScores:
        self.seen += Usage(sum(len(prompt.text().split()) for prompt in prompts), 0, len(prompts))
        return self.lm.choose(prompts, options)


CASES: dict[str, tuple[str, dict[str, Any]]] = {
    **{name: (name, {}) for name in METHODS},
    **{f"maieutic, {what}": ("maieutic", changes) for what, changes in ABLATIONS.items()},
    "maieutic, vote": ("maieutic", {"inference": "vote"}),
    "maieutic, argue": ("maieutic", {"inference": "argue"}),
    "maieutic, merged": ("maieutic", {"inference.merge": True, "inference.pruned": 0.5}),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("own_verifier", [False, True])
@settings(deadline=None, max_examples=4)
@given(seed=SEEDS)
def test_the_usages_add_up_to_all_that_the_models_were_asked(
    case: str, own_verifier: bool, seed: int
) -> None:
    name, changes = CASES[case]
    models = chaotic(seed)
    assert isinstance(models.lm, ScriptedLanguageModel)
    ledger = Ledger(models.lm)
    models = replace(models, lm=ledger)
    if own_verifier:
        models = replace(models, verifier=LanguageModelVerifier(ledger, PAPER))
    method = build_method(name, changes, seed=0)
    if isinstance(method, MaieuticMethod):  # priors are charged to no question
        models.suited(method.configured_inference, method.configured_elicit)
        ledger.seen = Usage()
    outcomes = method.run(TEXTS, models)
    total = sum((outcome.usage for outcome in outcomes), Usage())
    assert replace(total, pairs=0) == ledger.seen
    if isinstance(models.verifier, ScriptedVerifier):
        pairs = models.verifier.pairs
        assert len(pairs) == len(set(pairs))  # none is scored twice, and all that share one pay for it
        assert total.pairs >= len(pairs)


@pytest.mark.parametrize("case", sorted({*CASES} - {"concord"}))  # which judges questions by each other
@settings(deadline=None, max_examples=2)
@given(seed=SEEDS, own_verifier=st.booleans())
def test_company_changes_neither_an_outcome_nor_its_usage(case: str, seed: int, own_verifier: bool) -> None:
    name, changes = CASES[case]
    models, method = chaotic(seed, own_verifier=own_verifier), build_method(name, changes, seed=0)
    together = timeless(method.run(TEXTS, models))
    assert together == [timeless(method.run([text], models))[0] for text in TEXTS]


@pytest.mark.parametrize("case", CASES)
def test_texts_are_answered_in_their_order_and_none_is_fine(case: str) -> None:
    method = build_method(*CASES[case], seed=0)
    assert method.run([], chaotic(0)) == []
    outcomes = method.run(TEXTS, chaotic(0))
    assert len(outcomes) == len(TEXTS)
    for outcome in outcomes:
        assert (outcome.answer is None) == (outcome.problem is not None)
        assert (outcome.margin is None) == (outcome.margin_unit is None)
        assert outcome.seconds >= 0
        item = Item("1", "Ice is cold.", True)
        record = Record.of(item, outcome)
        assert Record.from_json(record.to_json()) == record


@settings(deadline=None, max_examples=20)
@given(seed=SEEDS, prompts=st.sampled_from([PAPER, CHAT, AGORA]))
def test_what_the_model_said_is_kept_with_its_verdicts(seed: int, prompts: PromptSet) -> None:
    models = chaotic(seed, prompts)
    for outcome in ChainOfThought().run(TEXTS, models):
        (only,) = outcome.said
        assert bool(only.text) == bool(outcome.details["explained"])
        assert (only.p_true, only.vote) == (outcome.p_true, outcome.answer)
    for outcome in SelfConsistency(samples=5).run(TEXTS, models):
        assert len(outcome.said) == 5
        votes = [one.vote for one in outcome.said]
        for vote, name in ((True, "votes_true"), (False, "votes_false")):
            assert votes.count(vote) == outcome.details.get(name, 0)
    for outcome in GeneratedKnowledge(samples=5).run(TEXTS, models):
        without, *known = outcome.said
        assert without.text == ""
        assert len(known) == outcome.details["knowledge"]
        assert outcome.said[int(outcome.details["chosen"])].p_true == outcome.p_true
    assert all(outcome.said == () for outcome in Direct().run(TEXTS, models))


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("prompts", [PAPER, CHAT, AGORA], ids=lambda prompts: prompts.name)
def test_only_prompts_of_the_kinds_that_a_method_names_are_asked(name: str, prompts: PromptSet) -> None:
    """But for what is filled in, and for the verdicts of directly asked statements."""
    models = chaotic(3, prompts)
    seen: set[tuple[str, tuple[Shot, ...], str]] = set()
    inner = models.lm

    class Watching:
        name, prompts, fingerprint = inner.name, inner.prompts, ""

        def sample(self, asked: Sequence[Prompt], n: int, params: SamplingParams) -> list[list[Completion]]:
            seen.update((p.instruction, p.shots, p.format) for p in asked)
            return inner.sample(asked, n, params)

        def choose(self, asked: Sequence[Prompt], options: Sequence[str]) -> OptionScores:
            seen.update((p.instruction, p.shots, p.format) for p in asked)
            return inner.choose(asked, options)

    method = build_method(name, {}, 0)
    method.run(TEXTS, replace(models, lm=Watching()))
    kinds = {*method.prompt_kinds, *(["direct"] if "verdict" in method.prompt_kinds else [])}
    known = {(form.instruction, form.shots) for form in (prompts.forms.get(kind) for kind in kinds) if form}
    known |= {(form.instruction, form.shots) for form in [prompts.forms["belief"]] if "knowledge" in kinds}
    known |= {(INSTRUCTION, ())} if SELF_EVALUATION in kinds else set()
    assert {(instruction, shots) for instruction, shots, _ in seen} <= known
    examples = example_prompts(prompts, method.prompt_kinds, "Ice is cold.")
    assert set(examples) == set(method.prompt_kinds)
    assert all("ice is cold" in example.lower() for example in examples.values())


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("prompts", [PAPER, CHAT, AGORA], ids=lambda prompts: prompts.name)
def test_every_method_works_with_every_prompt_set(name: str, prompts: PromptSet) -> None:
    models = models_of(lambda *_: "It may be so.", always(0.7, 0.2), prompts)
    (outcome,) = build_method(name, {}, seed=0).run(["Ice is cold."], models)
    assert outcome.usage.prompt_tokens > 0


@pytest.mark.parametrize("name", METHODS)
def test_a_text_that_cannot_be_used_is_refused(name: str) -> None:
    with pytest.raises(InputError):
        build_method(name, {}, seed=0).run(["Ice is cold.", " \n"], chaotic(0))


# -- settings ------------------------------------------------------------------------------------------

VALUES: Mapping[str, st.SearchStrategy[Any]] = {
    "samples": st.integers(1, 99),
    "temperature": st.floats(0, 9),
    "top_p": st.floats(0.001, 1),
    "max_new_tokens": st.integers(1, 999),
    "growth": st.sampled_from(get_args(GrowthStyle)),
    "confidence": st.floats(0, 1),
    "budget": st.integers(0, 999),
    "rewriting": st.sampled_from(get_args(Rewriting)),
    "chain": st.booleans(),
    "prune": st.booleans(),
    "depth": st.integers(0, 9),
    "widths": st.lists(st.integers(1, 9), min_size=1, max_size=3).map(tuple),
    "temperatures": st.lists(st.floats(0, 2), min_size=1, max_size=3).map(tuple),
    "belief": st.sampled_from(get_args(Belief)),
    "integrity_threshold": st.floats(0, 1),
    "tries": st.integers(1, 9),
    "use_verifier": st.booleans(),
    "answer_by": st.sampled_from(get_args(AnswerBy)),
    "priors": st.booleans(),
    "integrity": st.booleans(),
    "evidence": st.sampled_from(get_args(EvidenceKind)),
    "weights": st.just(""),  # a file
    "merge": st.booleans(),
    "pruned": st.floats(0, 1),
    "abstain_below": st.floats(0, 1),
    "beta": st.floats(0, 1),
    "threshold": st.floats(0, 0.99),
    "each": st.integers(0, 99),
}


def as_text(value: Any) -> str:
    """A plain value as a user would write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(as_text, value)) if isinstance(value, list | tuple) else str(value)


@pytest.mark.parametrize("name", METHODS)
@settings(deadline=None, max_examples=30)
@given(data=st.data(), seed=st.integers(0, 9))
def test_settings_survive_the_way_through_text_and_through_plain_values(
    name: str, data: st.DataObject, seed: int
) -> None:
    inference = {key for key in settings_of(METHODS[name]()) if key.endswith("inference")}
    start: dict[str, Any] = {key: data.draw(st.sampled_from([*INFERENCES])) for key in inference}
    names = list(settings_of(build_method(name, start, seed)))
    others = [key for key in sorted(names) if key not in start and data.draw(st.booleans())]
    chosen = start | {key: data.draw(VALUES[key.rpartition(".")[2]]) for key in others}
    assume(not {"argue", "beliefs"} <= {value for value in chosen.values() if isinstance(value, str)})
    method = build_method(name, chosen, seed)
    plain = settings_of(method)
    assert list(plain) == names
    assert all(type(value) in (bool, int, float, str, list) for value in plain.values())
    assert all(plain[key] == (list(v) if isinstance(v, tuple) else v) for key, v in chosen.items())
    texts = {key: as_text(value) for key, value in plain.items()}
    for given_settings in (plain, texts, {key: as_text(value) for key, value in chosen.items()}):
        assert build_method(name, given_settings, seed) == method


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("self-consistency", "samples", "0"),
        ("self-consistency", "samples", "many"),
        ("self-consistency", "samples", "1_0"),
        ("self-consistency", "samples", "2.5"),
        ("self-consistency", "temperature", "-1"),
        ("self-consistency", "temperature", "inf"),
        ("generated-knowledge", "top_p", "0"),
        ("generated-knowledge", "top_p", "nan"),
        ("generated-knowledge", "max_new_tokens", "0"),
        ("chain-of-thought", "max_new_tokens", "-3"),
        ("maieutic", "inference", "sum"),
        ("maieutic", "depth", "-1"),
        ("maieutic", "widths", "3,0"),
        ("maieutic", "widths", ""),
        ("maieutic", "widths", "3;1"),
        ("maieutic", "temperatures", "1,-1"),
        ("maieutic", "belief", "guessed"),
        ("maieutic", "integrity_threshold", "1.5"),
        ("maieutic", "inference.use_verifier", "yes"),
        ("maieutic", "inference.merge", "1"),
        ("maieutic", "inference.pruned", "1.5"),
        ("maieutic", "inference.abstain_below", "-0.1"),
        ("maieutic", "integrity", "True"),
        ("maieutic", "evidence", "none"),
        ("maieutic", "depth", "9" * 5000),
    ],
)
def test_a_setting_that_does_not_fit_is_named(name: str, key: str, value: str) -> None:
    with pytest.raises(InputError) as caught:
        build_method(name, {key: value}, seed=0)
    assert caught.value.subject == key
    assert len(str(caught.value)) < 200


def test_unknown_methods_and_settings_are_told_from_what_there_is() -> None:
    unknown = [
        ("oracle", {}, "method"),
        ("maieutic", {"width": "3"}, "width"),
        ("direct", {"depth": "3"}, "depth"),
        ("maieutic", {"seed": "3"}, "seed"),
        ("maieutic", {"verifier": "false"}, "verifier"),
        ("maieutic", {"inference": "vote", "inference.merge": "true"}, "inference.merge"),
        ("maieutic", {"inference": "argue", "inference.use_verifier": "false"}, "inference.use_verifier"),
        ("maieutic", {"inference.solver": "rc2"}, "inference.solver"),
    ]
    for name, given_settings, subject in unknown:
        with pytest.raises(InputError) as caught:
            build_method(name, given_settings, seed=0)
        assert caught.value.subject == subject


def test_a_negative_seed_is_refused_where_there_is_one() -> None:
    with pytest.raises(InputError) as caught:
        build_method("maieutic", {}, seed=-1)
    assert caught.value.subject == "seed"


@pytest.mark.parametrize("name", METHODS)
def test_every_setting_is_described_with_its_default(name: str) -> None:
    about = describe(name)
    defaults = settings_of(build_method(name, {}, seed=0))
    for key, value in defaults.items():
        (line,) = (line for line in about.splitlines() if line.startswith(f"  {key}="))
        shown, _, meaning = line.strip().partition("  ")
        assert shown == f"{key}={as_text(value)}"
        assert meaning
    assert about.splitlines()[0].endswith(".")


def test_only_methods_that_relate_sentences_use_a_verifier() -> None:
    built: dict[str, Method] = {name: build_method(name, {}, seed=0) for name in METHODS}
    relating = {"maieutic", "semantic-entropy", "self-check", "concord"}
    assert {name for name, method in built.items() if method.uses_verifier} == relating
