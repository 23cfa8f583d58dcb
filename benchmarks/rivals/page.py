"""The page of the comparison, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from maieutic.benchmarks.analysis.comparison import ComparedRun, Comparison, Difference
from maieutic.benchmarks.analysis.formatting import percent_with_interval, probability
from maieutic.benchmarks.rivals.contest import Contest
from maieutic.benchmarks.rivals.lineup import Rival
from maieutic.benchmarks.runs.config import RunConfig

__all__ = ["page"]

INTRODUCTION = """\
# Beside methods of others

The same questions, models and prompts for every method; whoever samples gets the same {samples} replies.
Made by

```bash
{command}
```

Right answers in percent with their 95 % interval (Wilson's; a question without an answer counts as wrong).
AUROC: how often a right answer has more confidence than a wrong one (0.5 for a constant confidence). ECE:
expected calibration error of P(true) (15 bins; – for a confidence that is no probability). Generated tokens,
calls of the language model and pairs of the verifier are means per question. The last column is the method's
accuracy less maieutic's, in points, with the questions that only it, and only maieutic, answers correctly,
and the p of McNemar's exact test, corrected for all tests of the table (Holm).
"""

PACKAGES = """\
## Whose code

All of them are computed by this package: its models, its prompts, its verifier. The packages of the authors
were looked at and left out:

- **uqlm** (0.6.7; semantic entropy, P(True), NLI) requires transformers below 5 and huggingface-hub below 1,
  which cannot be installed beside this package's (`pip install uqlm -c constraints.txt` finds no solution).
  It asks language models through LangChain and judges a generated response, not a given statement.
- **lm-polygraph** (0.7.0) installs, with spaCy, Flask, FastChat, bitsandbytes, hydra and pytest among what it
  requires. It estimates from models and verifiers that it opens itself, and judges generated text too.
- **selfcheckgpt** (0.1.7) brings a verifier of its own, a fixed checkpoint from the hub, and spaCy.
- **ConCoRD** was published as scripts for its own models and data.

So each method follows its published rule, and tests compare it with a second, independent implementation of
that rule.
"""


def page(contests: Sequence[tuple[Contest, Comparison]], command: str, samples: int) -> str:
    """The page.

    Args:
        contests: each with the comparison of its runs, in the order of its methods.
        command: that makes the page.
    """
    parts = [INTRODUCTION.format(samples=samples, command=command)]
    for contest, comparison in contests:
        parts.append(f"## {_title(contest.config, comparison)}\n\n" + "\n".join(_table(contest, comparison)))
        parts.append(_notes(contest, comparison))
    rules = ["| method | rule | here |", "| --- | --- | --- |"]
    rules += [f"| {one.label} | {one.source} | {one.adapted} |" for one in contests[0][0].rivals]
    parts += ["## The rules\n\n" + "\n".join(rules), PACKAGES]
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def _title(config: RunConfig, comparison: Comparison) -> str:
    models = f"`{config.lm}` with `{config.nli}`" if config.nli != config.lm else "the bundled models"
    return f"{config.dataset}, {comparison.split}: {comparison.questions} questions, {models}"


def _table(contest: Contest, comparison: Comparison) -> Iterator[str]:
    names = ("method", "right", "AUROC", "ECE", "generated tokens", "calls", "pairs", "− maieutic")
    yield f"| {' | '.join(names)} |"
    yield f"|{' --- |' * len(names)}"
    against = {difference.run: difference for difference in comparison.differences}
    for rival, row in zip(contest.rivals, comparison.rows, strict=True):
        yield f"| {' | '.join(_cells(rival, row, against.get(row.label)))} |"


def _cells(rival: Rival, row: ComparedRun, difference: Difference | None) -> Iterator[str]:
    metrics = row.metrics
    yield rival.label
    yield percent_with_interval(metrics.accuracy, row.interval)
    for value in (metrics.auroc, metrics.ece):
        yield "–" if value is None else f"{value:.3f}"
    for cost in (metrics.costs.generated_tokens, metrics.costs.calls, metrics.costs.verifier_pairs):
        yield f"{cost:,.1f}"
    if difference is None:
        yield ""
        return
    points = f"{100 * difference.difference:+.1f}".replace("-", "−")
    yield f"{points} ({difference.gained}, {difference.lost}; p = {probability(difference.p_holm)})"


def _notes(contest: Contest, comparison: Comparison) -> str:
    unscored = [
        f"{rival.label} {row.metrics.questions - row.metrics.scored}"
        for rival, row in zip(contest.rivals, comparison.rows, strict=True)
        if row.metrics.scored < row.metrics.questions
    ]
    return f"Questions without an answer: {', '.join(unscored)}." if unscored else ""
