"""The steps of growing trees; each handles many trees at once.

The model's replies are not trusted. An unusable text goes to the tree's ``discarded`` list with a reason of
:mod:`maieutic.text`. A side that lacks explanations is sampled at most ``ElicitConfig.tries`` times in all.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from maieutic.config import ElicitConfig
from maieutic.elicit.drawing import draw, greedy
from maieutic.elicit.rewriting import Rewriter
from maieutic.elicit.state import Draft, Growing, count_trees
from maieutic.lm.base import LanguageModel, Prompt, SamplingParams
from maieutic.lm.calls import choose
from maieutic.progress import Progress, reported
from maieutic.prompts import PromptSet
from maieutic.sentences import keeps_words, says_it_of_another
from maieutic.text import DUPLICATE, ECHO, ELSEWHERE, NO_NEGATION, NO_VERDICT, as_sentence, refusal, same_text
from maieutic.tree import ROOT, Chain, Proposition, child_id, is_integral

__all__ = ["MIN_VERDICT_MASS", "Steps"]

MIN_VERDICT_MASS = 0.5  # if P(true) + P(false) is below this, the belief is unknown


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of the algorithm for one model, prompt set and configuration."""

    lm: LanguageModel
    prompts: PromptSet
    config: ElicitConfig
    rewriter: Rewriter
    progress: Progress | None = None

    def grow_roots(self, questions: Sequence[str]) -> list[Growing]:
        """Trees with their roots: statements, negations and beliefs."""
        trees = [Growing(question, as_sentence(question)) for question in questions]
        asked = [tree for tree in trees if self.rewriter.is_question(tree.question)]
        with self.step("statement", 0, asked):
            self.rewriter.declare(asked)
        with self.step("negation", 0, trees):
            roots = self.rewriter.negate([Draft(tree, ROOT, None, tree.statement) for tree in trees])
        for root in roots:
            root.tree.negation = root.negation
        with self.step("belief", 0, trees):
            self.believe(roots)
        return trees

    def grow_children(self, leaves: Sequence[tuple[Growing, Proposition]], width: int) -> None:
        """Up to ``width`` more explanations of each side, with their negations and beliefs."""
        depth = max(parent.depth for _, parent in leaves) + 1
        with self.step("explanation", depth, [tree for tree, _ in leaves]):
            drafts = [
                draft for side in (True, False) for row in self.explain(leaves, side, width) for draft in row
            ]
        with self.step("negation", depth, [draft.tree for draft in drafts]):
            negated = self.rewriter.negate(drafts)
        for draft in negated:
            if draft.parent is not None and not draft.negation:
                side = draft.id[len(draft.parent)] == "T"
                draft.tree.discard(draft.parent, "explanation", draft.statement, NO_NEGATION, side)
        usable = [draft for draft in negated if draft.negation]
        with self.step("belief", depth, [draft.tree for draft in usable]):
            self.believe(usable)

    def step(self, name: str, depth: int, trees: Sequence[Growing]) -> AbstractContextManager[None]:
        """Report what is done for these trees, one item for each."""
        return reported(self.progress, name, depth, questions=count_trees(trees), items=len(trees))

    def explain(
        self, parents: Sequence[tuple[Growing, Proposition]], side: bool, width: int
    ) -> list[list[Draft]]:
        """Up to ``width`` new explanations of one side for each parent; missing ones are sampled again."""
        prompts = [self.prompts.explain(parent.statement, side) for _, parent in parents]
        known = [tree.children(parent.id, side) for tree, parent in parents]
        new: list[list[str]] = [[] for _ in parents]
        temperatures = [self.config.temperature(parent.depth + 1) for _, parent in parents]
        for attempt in range(self.config.tries):
            groups: dict[tuple[int, float, int], list[int]] = {}
            for i, texts in enumerate(new):  # in separate calls: no parent draws more than it needs
                seed = self.config.seed * self.config.tries + attempt + SEED_STRIDE * len(known[i])
                if len(texts) < width and (attempt == 0 or temperatures[i] > 0):
                    groups.setdefault((width - len(texts), temperatures[i], seed), []).append(i)
            for (count, temperature, seed), places in sorted(groups.items()):
                params = SamplingParams(self.config.max_new_tokens, temperature, self.config.top_p, seed)
                rows = draw(
                    self.lm, [parents[i][0] for i in places], [prompts[i] for i in places], count, params
                )
                for i, replies in zip(places, rows, strict=True):
                    tree, parent = parents[i]
                    for reply in replies:
                        reason = _refused(reply, parent.statement, [*known[i], *new[i]], prompts[i])
                        if reason is None:
                            new[i].append(as_sentence(reply))
                        else:
                            tree.discard(parent.id, "explanation", reply, reason, side)
        return [
            [
                Draft(tree, child_id(parent.id, side, len(before) + index), parent.id, text)
                for index, text in enumerate(texts)
            ]
            for (tree, parent), before, texts in zip(parents, known, new, strict=True)
        ]

    def think(self, trees: Sequence[Growing]) -> None:
        """A chain of thought about each Q, and P(true) after it (Wei et al. 2022).

        One that says of something else what Q says is discarded: it has judged the other thing.
        """
        with self.step("chain", 0, trees):
            replies = greedy(
                self.lm, trees, [self.prompts.belief(tree.statement) for tree in trees], self.config
            )
            reasons = [_reasoning(reply, self.prompts.marker) for reply in replies]
            said = {i: reason for i, reason in enumerate(reasons) if reason}
            astray = {i for i, reason in said.items() if says_it_of_another(reason, trees[i].statement)}
            said = {i: reason for i, reason in said.items() if i not in astray}
            prompts = {i: self.prompts.verdict(trees[i].statement, reason) for i, reason in said.items()}
            read = self.read({i: trees[i] for i in said}, prompts)
            for i, tree in enumerate(trees):
                tree.chain = Chain(as_sentence(said.get(i, "")), read.get(i))
                if read.get(i) is None:
                    tree.discard(ROOT, "belief", replies[i], ELSEWHERE if i in astray else NO_VERDICT)

    def believe(self, drafts: Sequence[Draft]) -> None:
        """Read the beliefs in the drafts and add them to their trees as propositions."""
        texts = [*(draft.statement for draft in drafts), *(draft.negation for draft in drafts)]
        beliefs = self.beliefs([*drafts, *drafts], texts)
        for index, draft in enumerate(drafts):
            p, p_negation = beliefs[index], beliefs[len(drafts) + index]
            integral = is_integral(p, p_negation, self.config.integrity_threshold)
            node = Proposition(
                draft.id, draft.parent, draft.statement, draft.negation, p, p_negation, integral
            )
            draft.tree.nodes.append(node)

    def beliefs(self, drafts: Sequence[Draft], texts: Sequence[str]) -> list[float | None]:
        """P(true | text) of each, in [0, 1]; None if the text is empty or the model gives no verdict."""
        beliefs: list[float | None] = [None] * len(texts)
        if not self.config.read_beliefs:
            return beliefs
        stated = [i for i, text in enumerate(texts) if text]
        if self.config.belief == "direct":
            replies = dict.fromkeys(stated, "")
            prompts = {i: self.prompts.direct(texts[i]) for i in stated}
        else:
            trees = [drafts[i].tree for i in stated]
            drawn = greedy(self.lm, trees, [self.prompts.belief(texts[i]) for i in stated], self.config)
            replies = dict(zip(stated, drawn, strict=True))
            reasons = {i: _reasoning(reply, self.prompts.marker) for i, reply in replies.items()}
            prompts = {
                i: self.prompts.verdict(texts[i], reason)
                for i, reason in reasons.items()
                if reason is not None
            }
        for i, p in self.read({i: drafts[i].tree for i in prompts}, prompts).items():
            beliefs[i] = p
        for i in stated:
            if beliefs[i] is None:
                drafts[i].tree.discard(drafts[i].id, "belief", replies[i], NO_VERDICT)
        return beliefs

    def read(self, trees: dict[int, Growing], prompts: dict[int, Prompt]) -> dict[int, float | None]:
        """P(true) after each prompt, as its share of P(true) + P(false); None where that sum is too small."""
        if not prompts:
            return {}
        scores = choose(self.lm, list(prompts.values()), self.prompts.answers)
        found: dict[int, float | None] = {}
        for i, (p_true, p_false), usage in zip(
            prompts, scores.probabilities.tolist(), scores.usages, strict=True
        ):
            trees[i].usage += usage
            mass = p_true + p_false
            found[i] = p_true / mass if mass >= MIN_VERDICT_MASS else None
        return found


SEED_STRIDE = 1_000_003  # later explanations of a side are drawn with other seeds than its first ones


def _refused(reply: str, explained: str, others: Sequence[str], prompt: Prompt) -> str | None:
    """The reason to reject an explanation, or None. ``others`` are those that the side has."""
    text = as_sentence(reply)
    reason = refusal(text, echoes=[explained], prompt_parts=(prompt.query, prompt.opening))
    if reason is None and any(same_text(text, other) for other in others):
        return DUPLICATE
    if reason is None and keeps_words(text, explained):
        return ECHO  # the statement or its negation in the same words is no reason
    return reason


def _reasoning(reply: str, marker: str) -> str | None:
    """The reply before the marker (all of it for an empty marker); None if that is empty or has no marker.

    >>> _reasoning(" Ice is frozen. Therefore, the statement is true.", "Therefore, the statement is")
    'Ice is frozen.'
    """
    before, separator, _ = reply.partition(marker) if marker else (reply, True, "")
    return " ".join(before.split()) or None if separator else None
