"""Answers on random trees with a random verifier: the same seed gives the same answer."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

from maieutic.answer import Answer
from maieutic.inference import Argue, Inference, Joint, Vote
from maieutic.inference.weights import EVERY_TERM
from maieutic.lm.scripted import ScriptedLanguageModel
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.pipeline import Maieutic
from maieutic.solvers import load_solver
from maieutic.tree import INTEGRITY_THRESHOLD, Chain, Proposition, Tree, child_id, is_integral

__all__ = ["INFERENCES", "random_answer", "random_tree"]

EXHAUSTIVE = load_solver("exhaustive")
INFERENCES: dict[str, Inference] = {
    "joint": Joint(replace(EVERY_TERM, bias=0.3), solver=EXHAUSTIVE),
    "vote": Vote(solver=EXHAUSTIVE),
    "argue": Argue(),
}
WORDS = ("ice", "snow", "frost", "rain", "hail", "fog")


def random_tree(seed: int, text: Callable[[str], str] = str) -> Tree:
    """A tree of one to seven propositions, some of the same meaning, often with a chain of thought.

    Args:
        text: applied to every sentence.
    """
    rng = random.Random(repr(("tree", seed)))

    def belief() -> float | None:
        return rng.choice([None, 0.0, 0.5, 1.0, *(rng.random() for _ in range(8))])

    def node(node_id: str, parent: str | None, noun: str) -> Proposition:
        p, q = belief(), belief()
        integral = is_integral(p, q, INTEGRITY_THRESHOLD)
        said, denied = text(f"{noun.capitalize()} falls."), text(f"{noun.capitalize()} does not fall.")
        if parent is not None and rng.random() < 0.3:
            said, denied = denied, said
        return Proposition(node_id, parent, said, denied, p, q, integral)

    nodes = [node("Q", None, "water")]
    for index in range(rng.randint(0, 6)):
        parent = rng.choice(nodes).id
        nodes.append(node(child_id(parent, rng.random() < 0.5, index), parent, rng.choice(WORDS)))
    chain = (
        Chain(text(rng.choice(["", "Ice falls.", "All falls."])), belief()) if rng.random() < 0.7 else None
    )
    question = text("Does water fall?") if rng.random() < 0.5 else nodes[0].statement
    return Tree(question, nodes[0].statement, nodes[0].negation, tuple(nodes), chain=chain)


@lru_cache(maxsize=1000)
def random_answer(seed: int, name: str, text: Callable[[str], str] = str) -> Answer:
    """The answer to a random tree by the inference of that name; many tests ask for the same ones."""

    def judge(*pair: str) -> str:
        return random.Random(repr((seed, pair))).choice(["entailment", "contradiction", "neutral", "neutral"])

    lm = ScriptedLanguageModel(lambda *_: "", lambda *_: 0.5)
    pipeline = Maieutic(lm, ScriptedVerifier(judge), inference=INFERENCES[name])
    (answer,) = pipeline.conclude([random_tree(seed, text)])
    return answer
