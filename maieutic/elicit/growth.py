"""Trees for many questions at once: the choice between the two ways to grow."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from maieutic.config import ElicitConfig
from maieutic.elicit.anytime import Assess, grow_anytime
from maieutic.elicit.reference import grow_breadth_first
from maieutic.elicit.rewriting import Rewriter
from maieutic.elicit.state import Growth
from maieutic.elicit.steps import Steps
from maieutic.lm.base import LanguageModel
from maieutic.nli.base import Pair, Probabilities
from maieutic.progress import Progress
from maieutic.prompts import PromptSet
from maieutic.text import as_question
from maieutic.tree import pruned

__all__ = ["elicit"]


def elicit(
    questions: Sequence[str],
    lm: LanguageModel,
    prompts: PromptSet,
    config: ElicitConfig = ElicitConfig(),  # noqa: B008 - frozen
    *,
    assess: Assess | None = None,
    score_pairs: Callable[[Sequence[Pair]], Probabilities] | None = None,
    progress: Progress | None = None,
) -> list[Growth]:
    """Grow one maieutic tree per question (a question or a statement).

    A prompt that two questions share is charged to both.

    Args:
        assess: what anytime growth goes by; without it trees grow breadth-first.
        score_pairs: the verifier, which confirms negations; None for none.
        progress: receives each step when it ends.

    Raises:
        InputError: a question is empty, too long, not valid Unicode, or no question that has an answer yes
            or no.
        ContextLengthError: a prompt does not fit the model's context window.
    """
    asked = [as_question(question) for question in questions]
    steps = Steps(lm, prompts, config, Rewriter(lm, prompts, config, score_pairs), progress)
    if config.growth == "anytime" and assess is not None:
        trees = grow_anytime(asked, steps, config, assess)
    else:
        trees = grow_breadth_first(asked, steps, config)
    grown = [(tree, tree.tree()) for tree in trees]
    return [
        Growth(pruned(whole) if config.prune else whole, tree.usage, steps=tuple(tree.steps))
        for tree, whole in grown
    ]
