"""How well a model reasons about the world: answers by method, and the truth of every node.

Launch:   python -m maieutic.benchmarks.agora.measure --lm DIR --nli DIR [--count 800 --split test]
Data:     contested statements of the world (:mod:`maieutic.benchmarks.agora.questions`).
Cost:     a few seconds a question on two cores with a model of four million parameters.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Annotated

import typer

from maieutic.benchmarks.agora.claims import check_split
from maieutic.benchmarks.agora.oracle import Oracle
from maieutic.benchmarks.agora.questions import Question, questions
from maieutic.benchmarks.agora.world import World, load_world
from maieutic.config import ElicitConfig
from maieutic.elicit import elicit
from maieutic.errors import MaieuticError
from maieutic.infer import DEFAULT_SOLVER, INFERENCES, Inference
from maieutic.lm import LanguageModel, load_lm
from maieutic.nli import Verifier, load_verifier
from maieutic.pipeline import conclude
from maieutic.prompts import PromptSet, load_prompts
from maieutic.solvers import SOLVERS
from maieutic.tree import Tree

__all__ = ["NodeCounts", "chain_of_thought", "direct", "grow", "node_counts", "self_consistency"]

SAMPLES, TEMPERATURE = 10, 1.0  # of self-consistency
MAX_NEW_TOKENS = 64
BATCH = 32  # questions at a time


@dataclass(frozen=True, slots=True)
class NodeCounts:
    """Over the explanations in grown trees whose truth the world knows, pruned ones left out.

    Attributes:
        nodes: how many there are; ``true``: explanations that are true.
        by_belief: labelled rightly by the raw beliefs, P(true | E) > P(true | ¬E).
        by_label: labelled rightly after solving.
        integral, integral_by_belief: the integral ones, and those among them that beliefs label rightly.
    """

    nodes: int
    true: int
    by_belief: int
    by_label: int
    integral: int
    integral_by_belief: int


def direct(lm: LanguageModel, prompts: PromptSet, statements: Sequence[str]) -> list[bool]:
    """Judge at once: P(true) against P(false), no reasoning."""
    rows = lm.choose([prompts.direct(text) for text in statements], prompts.answers)
    return [bool(p_true >= p_false) for p_true, p_false in rows]


def chain_of_thought(lm: LanguageModel, prompts: PromptSet, statements: Sequence[str]) -> list[bool]:
    """Explain greedily, then judge; a model that gives no explanation judges without one."""
    replies = _think(lm, prompts, statements, samples=1, temperature=0.0)
    reasons = [reply.partition(prompts.marker)[0].strip() for (reply,) in replies]
    asked = [prompts.verdict(text, reason) for text, reason in zip(statements, reasons, strict=True)]
    return [bool(p_true >= p_false) for p_true, p_false in lm.choose(asked, prompts.answers)]


def self_consistency(lm: LanguageModel, prompts: PromptSet, statements: Sequence[str]) -> list[bool]:
    """The majority of sampled chains (Wang et al. 2022); those without a verdict do not count."""
    replies = _think(lm, prompts, statements, SAMPLES, TEMPERATURE)
    return [sum(_vote(text, prompts) for text in texts) >= 0 for texts in replies]


def _think(
    lm: LanguageModel, prompts: PromptSet, statements: Sequence[str], samples: int, temperature: float
) -> list[list[str]]:
    return lm.sample(
        [prompts.belief(text) for text in statements],
        samples,
        max_new_tokens=MAX_NEW_TOKENS,
        temperature=temperature,
        top_p=1.0,
        seed=0,
    )


def _vote(reply: str, prompts: PromptSet) -> int:
    _, found, verdict = reply.partition(prompts.marker)
    if not found:
        return 0
    true, false = (verdict.startswith(option) for option in prompts.answers)
    return int(true) - int(false)


def grow(
    lm: LanguageModel, prompts: PromptSet, asked: Iterable[Question], config: ElicitConfig
) -> Iterator[list[Tree]]:
    """Maieutic trees, ``BATCH`` questions at a time."""
    source = iter(asked)
    while batch := list(islice(source, BATCH)):
        yield elicit([question.statement for question in batch], lm, prompts, config)


def node_counts(world: World, trees: Sequence[Tree], labels: Sequence[dict[str, bool]]) -> NodeCounts:
    """Score the explanations of trees against the world; ``labels`` by node id, one dict a tree."""
    oracle = Oracle(world)
    rows = []
    for tree, labelled in zip(trees, labels, strict=True):
        for node in tree.nodes:
            truth = oracle.truth(node.statement)
            if node.parent is None or truth is None or node.p_true is None or node.p_true_negation is None:
                continue
            believed = node.p_true > node.p_true_negation
            rows.append((truth, believed == truth, labelled[node.id] == truth, node.integral))
    return NodeCounts(
        nodes=len(rows),
        true=sum(truth for truth, *_ in rows),
        by_belief=sum(belief for _, belief, *_ in rows),
        by_label=sum(label for _, _, label, _ in rows),
        integral=sum(integral for *_, integral in rows),
        integral_by_belief=sum(belief and integral for _, belief, _, integral in rows),
    )


def _maieutic(
    world: World, trees: Sequence[Tree], verifier: Verifier, inference: Inference
) -> tuple[list[bool], NodeCounts]:
    solver = SOLVERS[DEFAULT_SOLVER[inference]]()
    answers = conclude(trees, verifier, solver, inference)
    return [a.answer for a in answers], node_counts(world, trees, [dict(a.labels) for a in answers])


def main(
    lm: Annotated[str, typer.Option("--lm", help="Language model, a folder.")],
    nli: Annotated[str, typer.Option("--nli", help="Verifier, a folder.")],
    count: Annotated[int, typer.Option("--count", help="Statements, half of them true.", min=2)] = 800,
    split: Annotated[str, typer.Option("--split", help="train, dev or test.")] = "test",
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    dtype: Annotated[str, typer.Option("--dtype")] = "auto",
) -> None:
    """Accuracy of each method on contested statements, and of beliefs and labels at every node."""
    world, prompts = load_world(), load_prompts("agora")
    asked = questions(world, check_split(split), count, seed)
    model, verifier = load_lm(lm, dtype=dtype), load_verifier(nli, dtype=dtype)
    statements, gold = [q.statement for q in asked], [q.truth for q in asked]

    def show(name: str, answers: Sequence[bool]) -> None:
        right = sum(answer == truth for answer, truth in zip(answers, gold, strict=True))
        typer.echo(f"{name:18} {100 * right / len(gold):5.1f} %  ({right} of {len(gold)})")

    methods: dict[str, Callable[[LanguageModel, PromptSet, Sequence[str]], list[bool]]] = {
        "direct": direct,
        "chain of thought": chain_of_thought,
        "self-consistency": self_consistency,
    }
    for name, method in methods.items():
        show(name, method(model, prompts, statements))
    trees = [tree for batch in grow(model, prompts, asked, ElicitConfig(seed=seed)) for tree in batch]
    for inference in INFERENCES:
        answers, counts = _maieutic(world, trees, verifier, inference)
        show(f"maieutic ({inference})", answers)
        typer.echo(f"  nodes: {json.dumps(asdict(counts))}")
    kinds = {kind: sum(tree.kind == kind for tree in trees) for kind in ("one-node", "grown", "empty")}
    typer.echo(f"  trees: {json.dumps(kinds)}")


if __name__ == "__main__":
    try:
        typer.run(main)
    except MaieuticError as error:
        typer.echo(f"error: {error}", err=True)
        raise SystemExit(error.exit_code) from None
