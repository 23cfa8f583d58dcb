"""What every section of the benchmark works on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from maieutic.benchmarks.throughput.clock import Clock
from maieutic.benchmarks.throughput.script import Script, write_script
from maieutic.benchmarks.throughput.subject import Subject
from maieutic.checkpoints.loading import Checkpoint
from maieutic.config import ElicitConfig
from maieutic.elicit import elicit
from maieutic.inference import Joint
from maieutic.lm.base import Prompt
from maieutic.nli.base import Pair
from maieutic.nli.scripted import ScriptedVerifier
from maieutic.relate import relate
from maieutic.tree import Tree

__all__ = ["PAIRS", "PROMPTS", "TEXTS", "Workbench"]

# Per question: prompts scored, texts drawn and pairs related where these are measured alone.
PROMPTS, TEXTS, PAIRS = {"cpu": 1, "cuda": 8}, {"cpu": 2, "cuda": 4}, 32


@dataclass(frozen=True)
class Workbench:
    """The models, the sizes of the work, and the clock.

    Attributes:
        verifier: the opened checkpoint.
        questions: that grow together, at least 2; the other sections' work grows with it.
        new_tokens: of every text that is drawn.
    """

    subject: Subject
    verifier: Checkpoint
    clock: Clock
    questions: int
    new_tokens: int

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
        grown = elicit(self.script.questions, self.script.model(prompts), prompts, self.config)
        return [growth.tree for growth in grown]

    def prompts(self, kind: str, count: int) -> list[Prompt]:
        """So many prompts of the script of one kind, all different."""
        found = [prompt for prompt, known in self.script.kinds.items() if known == kind]
        assert len(found) >= count
        return found[:count]

    def pairs(self, count: int) -> list[Pair]:
        """So many different pairs of the trees that inference asks a verifier about."""
        listener = ScriptedVerifier(lambda _premise, _hypothesis: "neutral")
        relate(self.trees, listener, Joint())
        found = list(dict.fromkeys(listener.pairs))
        assert len(found) >= count
        return found[:count]
