"""An answer for the terminal with every number: the decision, the tree, the constraints that decided it.

:mod:`maieutic.render.words` says the same in plain words.

Statements are a model's output. They are shown as plain text, never as markup, and characters that could
control a terminal are escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, Group, RenderableType
from rich.text import Text
from rich.tree import Tree as RichTree

from maieutic.config import PROBABILITIES
from maieutic.inference.constraints import Constraint
from maieutic.priors import Priors
from maieutic.reasoning import NO_VERIFIER, Reasoning
from maieutic.tree import ROOT, Chain, Proposition

__all__ = ["beliefs", "growth", "printable", "render_text", "show"]

SHOWN_REASONS = 8  # listed at most, the heaviest first
_MARK = {True: ("true ", "bold green"), False: ("false", "bold red"), None: ("  ?  ", "yellow")}


def printable(text: str) -> str:
    r"""The text with every character that is not printable escaped.

    >>> printable("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def show(answer: Reasoning, console: Console) -> None:
    """Print the answer: in colour on a terminal, plain elsewhere."""
    console.print(render_text(answer), highlight=False)


def render_text(answer: Reasoning) -> RenderableType:
    """The answer as a rich renderable, laid out for 80 columns."""
    return Group(*_head(answer), "", _tree(answer), *_reasons(answer), *_foot(answer))


def _head(answer: Reasoning) -> Iterator[Text]:
    if answer.question != answer.statement:
        yield Text(printable(answer.question), style="italic")
    word, style = _MARK[answer.answer]
    decision = (word.strip().upper(), style)
    if answer.unsure:
        decision = (f"UNSURE, rather {word.strip()}", "bold yellow")
    yield Text.assemble(decision, "  ", (printable(answer.statement), "bold"))
    yield Text(f"margin {answer.margin:.2f} {_margin_meaning(answer)}", style="dim")
    if answer.p_true is None and answer.verdict.margin_unit == "nats":
        yield Text("after reasoning unknown: the problem is too large and dense for exact marginals", "dim")
    if answer.p_true is not None:
        yield Text(f"after reasoning {answer.p_true:.2f}: P(true) over all labellings, exactly", style="dim")
    for warning in answer.warnings:
        yield Text(printable(warning), style="bold yellow")
    yield from _assumptions(answer)


def _assumptions(answer: Reasoning) -> Iterator[Text]:
    for assumption in answer.verdict.assumptions:
        word, style = _MARK[assumption.holds]
        yield Text.assemble(
            "assumed ",
            (word.strip(), style),
            (f" {assumption.id}  ", "cyan"),
            printable(assumption.statement),
        )
    for clash in answer.verdict.clashes:
        yield Text(f"the assumptions conflict: according to the verifier {_phrase(clash)}", style="yellow")


def _margin_meaning(answer: Reasoning) -> str:
    opposite, unit = "false" if answer.answer else "true", answer.verdict.margin_unit
    if answer.margin == 0:
        return f"{unit}: a coin toss; a tie is answered true"
    meanings = {
        "nats": f"extra cost of the best labelling in which Q is {opposite}",
        "votes": "majority among the explanations labelled true",
        "probability": "difference between the beliefs in Q and in its negation",
        "strength": "distance of Q's strength from 0.5",
    }
    return f"{unit}: {meanings[unit]}"


def _tree(answer: Reasoning) -> RenderableType:
    root = answer.tree.root
    drawn = RichTree(_node(answer, root), guide_style="dim")
    open_branches = [(root.id, drawn)]
    while open_branches:
        parent, branch = open_branches.pop()
        for node in (n for n in answer.propositions if n.parent == parent):
            open_branches.append((node.id, branch.add(_node(answer, node))))
    if answer.tree.chain is not None and answer.tree.chain.text:
        said = printable(answer.tree.chain.text)
        drawn.add(Text.assemble(("thought  ", "cyan"), said, "\n", (_after(answer.tree.chain), "dim")))
    if answer.tree.kind == "empty":
        drawn.add(Text("empty tree: the model is consistent on no proposition", "yellow"))
    return drawn


def _after(chain: Chain) -> str:
    p = "unknown" if chain.p_true is None else f"{chain.p_true:.2f}"
    return f"the model believes Q after this {p}"


def _node(answer: Reasoning, node: Proposition) -> Text:
    word, style = _MARK[answer.labels.get(node.id)]
    side = {True: "True, because: ", False: "False, because: ", None: ""}[node.side]
    notes = beliefs(node)
    if node.parent is not None and node.id not in answer.tree.by_id:
        notes += ", pruned"
    if twin := answer.verdict.twin(node.id):
        notes += f", the same as {twin}"
    return Text.assemble(
        (f"{node.id} ", "cyan"),
        (word, style),
        "  ",
        (side, "dim"),
        printable(node.statement),
        "\n",
        (f"{notes}{_inferred(answer, node)}", "dim"),
    )


def priors_line(priors: Priors) -> str:
    """What the model believes of any statement, in one line."""
    numbers = (
        ("statement", priors.statement),
        ("negation", priors.negation),
        ("after thought", priors.chain),
    )
    found = ", ".join(f"{name} {value:+.2f}" for name, value in numbers)
    return f"its priors, log-odds of true for any statement, are subtracted: {found} nats"


def beliefs(node: Proposition) -> str:
    """The model's beliefs in a proposition and in its negation; "assumed" for an assumption."""
    if node.parent is None and node.id != ROOT:
        return "remembered" if node.id.startswith("M") else "assumed"
    p, p_negation = ("unknown" if p is None else f"{p:.2f}" for p in (node.p_true, node.p_true_negation))
    return f"the model believes {p}, its negation {p_negation}, {'integral' if node.integral else 'wavers'}"


def _inferred(answer: Reasoning, node: Proposition) -> str:
    strength = (answer.verdict.strengths or {}).get(node.id)
    if strength is not None:
        return f"; strength {strength:.2f}"
    p = (answer.verdict.p_labels or {}).get(node.id)
    return "" if p is None or node.parent is None else f"; after reasoning {p:.2f}"


def _reasons(answer: Reasoning) -> Iterator[RenderableType]:
    """The constraints that touch Q: those that hold decided it, the others were overruled."""
    broken = set(answer.verdict.violated)
    touching = [
        (index not in broken, constraint)
        for index, constraint in enumerate(answer.verdict.constraints)
        if constraint.touches_root
    ]
    touching.sort(key=lambda item: -item[1].weight)
    supporting = [c for holds, c in touching if holds and _decides(answer, c)]
    overruled = [c for holds, c in touching if not holds]
    for title, constraints in (("What speaks for it", supporting), ("What was overruled", overruled)):
        if constraints:
            yield from _heaviest(title, list(map(_reason, constraints)))
    yield from _arguments(answer)
    yield from _flip(answer)
    yield from _ballots(answer)


def _heaviest(title: str, rows: Sequence[Text]) -> Iterator[Text]:
    yield Text(f"\n{title}", style="bold")
    yield from rows[:SHOWN_REASONS]
    if len(rows) > SHOWN_REASONS:
        yield Text(f"  … and {len(rows) - SHOWN_REASONS} weaker ones", style="dim")


def _arguments(answer: Reasoning) -> Iterator[Text]:
    """The explanations of Q as arguments, the strongest first."""
    strengths = answer.verdict.strengths or {}
    children = [node for node in answer.tree.nodes if node.parent == ROOT and node.id in strengths]
    children.sort(key=lambda node: -strengths[node.id])
    rows = [
        Text.assemble((f"  {strengths[node.id]:5.2f}  ", "cyan"), f"{node.id} {_verb(node)} {ROOT}")
        for node in children
    ]
    if rows:
        yield from _heaviest(f"Arguments about {ROOT}, by strength", rows)


def _verb(node: Proposition) -> str:
    return "supports" if node.side else "attacks"


def _flip(answer: Reasoning) -> Iterator[Text]:
    flip = answer.verdict.flip
    if flip is None:
        return
    other = "false" if answer.answer else "true"
    yield Text(f"\nWhat would change its mind: {other} is at least as good without", style="bold")
    for index in flip:
        yield _reason(answer.verdict.constraints[index])
    if not flip:
        yield Text("  nothing: it is as good already")


def _decides(answer: Reasoning, constraint: Constraint) -> bool:
    """Whether a constraint that holds would break if Q alone had the other label."""
    labels = {**answer.labels, ROOT: not answer.answer}
    return not any(literal.holds(labels[literal.id]) for literal in constraint.clause)


def _reason(constraint: Constraint) -> Text:
    return Text.assemble((f"  {constraint.weight:5.2f}  ", "cyan"), _phrase(constraint))


def _phrase(constraint: Constraint) -> str:
    source, target = str(constraint.source), str(constraint.target)
    together, s = (f"{source} and {constraint.other} together", "") if constraint.other else (source, "s")
    return {
        "belief": f"the model believes {source}",
        "entailment": f"{together} entail{s} {target}",
        "contradiction": f"{together} contradict{s} {target}",
        "tree": f"{source} was given as a reason for {target}",
        "chain": f"a chain of thought concludes {source}",
        "bias": f"{source} is commoner among such statements",
        "claim": f"{source} is claimed",
        "names": f"{source} names {target}",
        "memory": f"what is remembered speaks for {source}",
    }[constraint.kind]


def _ballots(answer: Reasoning) -> Iterator[Text]:
    if answer.verdict.votes:
        yield Text("\nVotes on Q by the explanations labelled true", style="bold")
        for literal, vote in answer.verdict.votes.items():
            yield Text.assemble((f"  {vote:+d}  ", "cyan"), str(literal))


def growth(answer: Reasoning) -> str:
    """The steps of anytime growth with P(true) after each, and what they took; "" without steps."""
    if not answer.steps:
        return ""
    rows = ((step.what, "unknown" if step.p_true is None else f"{step.p_true:.2f}") for step in answer.steps)
    shown = " → ".join(f"{what} {p}" for what, p in rows)
    tokens, calls = sum(step.tokens for step in answer.steps), sum(step.calls for step in answer.steps)
    return printable(f"{shown}, {tokens} generated tokens, {calls} calls")


def _foot(answer: Reasoning) -> Iterator[Text]:
    lines = []
    if answer.discard_counts:
        counts = ", ".join(f"{count} {reason}" for reason, count in answer.discard_counts.items())
        lines.append(f"discarded: {printable(counts)}")
    models, seconds = answer.models, answer.seconds
    grown = f"grown by {models.lm}" if models.lm else "grown elsewhere"
    related = "no verifier used" if models.verifier == NO_VERIFIER else f"related by {models.verifier}"
    lines.append(printable(f"{grown}; {related}"))
    if steps := growth(answer):
        lines.append(f"growth: {steps}")
    if answer.belief_source not in (None, PROBABILITIES):
        lines.append(printable(f"beliefs: {answer.belief_source}, not the model's probabilities"))
    if answer.models.priors is not None:
        lines.append(priors_line(answer.models.priors))
    solver = f"solved by {answer.verdict.solver}" if answer.verdict.solver else "no solver needed"
    lines.append(printable(f"{solver} ({answer.verdict.inference} inference)"))
    shared = f" (averages of {seconds.shared} that advanced together)" if seconds.shared > 1 else ""
    took = f"elicit {seconds.elicit:.2f} s, relate {seconds.relate:.2f} s{shared}"
    lines.append(f"{took}, solve {seconds.solve:.2f} s")
    yield Text("\n" + "\n".join(lines), style="dim")
