"""What every section of the benchmark works on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from maieutic.benchmarks.throughput.clock import Clock
from maieutic.benchmarks.throughput.script import Script, write_script
from maieutic.benchmarks.throughput.subject import Subject
from maieutic.config import ElicitConfig
from maieutic.elicit import elicit
from maieutic.errors import InputError
from maieutic.lm.base import Prompt
from maieutic.loading import Checkpoint
from maieutic.nli.base import Pair, ScriptedVerifier
from maieutic.nli.transformers import TransformersVerifier
from maieutic.relate import relate
from maieutic.tree import Tree
from maieutic.treefile import read_trees

__all__ = ["PAIRS", "PROMPTS", "REFERENCE_QUESTIONS", "TEXTS", "Workbench"]

REFERENCE_QUESTIONS = 2  # one of each kind that the script knows
PROMPTS, TEXTS, PAIRS = 2, 4, 32  # per question: scored, drawn, related where these are measured alone


@dataclass(frozen=True)
class Workbench:
    """The models, the sizes of the work, and the clock.

    Attributes:
        questions: that grow together; the other sections' work grows with it.
        new_tokens: of every text that is drawn.
        pairs_from: a file of trees whose pairs the verifier is given, instead of made-up ones.
    """

    subject: Subject
    verifier_checkpoint: Checkpoint
    verifier: TransformersVerifier
    clock: Clock
    questions: int
    new_tokens: int
    pairs_from: Path | None = None

    @property
    def config(self) -> ElicitConfig:
        """The paper's, with a fixed length of texts."""
        return ElicitConfig(max_new_tokens=self.new_tokens)

    @cached_property
    def script(self) -> Script:
        """What the models say about the questions."""
        return write_script(self.questions, self.subject.prompts, self.config)

    @cached_property
    def trees(self) -> list[Tree]:
        """The trees that the script leads to, grown without a model."""
        prompts = self.subject.prompts
        return elicit(self.script.questions, self.script.model(prompts), prompts, self.config)

    def prompts(self, kind: str, count: int) -> list[Prompt]:
        """So many prompts of the script of one kind, all different."""
        found = [prompt for prompt, known in self.script.kinds.items() if known == kind]
        assert len(found) >= count
        return found[:count]

    def pairs(self, count: int) -> list[Pair]:
        """At most so many different pairs that inference asks a verifier about, as relating asks them."""
        given = (tree for _, tree in read_trees(self.pairs_from)) if self.pairs_from else iter(self.trees)
        listener = ScriptedVerifier(lambda _premise, _hypothesis: "neutral")
        found: dict[Pair, None] = {}
        while len(found) < count and (tree := next(given, None)):
            relate([tree], listener)
            found.update(dict.fromkeys(listener.asked))
        if not found:
            raise InputError(f"{self.pairs_from} has no tree of two propositions or more; give another file")
        return list(found)[:count]
