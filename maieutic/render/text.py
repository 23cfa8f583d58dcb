"""An answer for the terminal: what was decided, how firmly, and the tree that shows why.

Statements are a model's output: they are shown as plain text, never as markup, and characters that
could command a terminal are spelled out.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.text import Text
from rich.tree import Tree as RichTree

from maieutic.answer import Answer
from maieutic.inference.constraints import Constraint
from maieutic.tree import ROOT, Proposition

__all__ = ["printable", "render_text", "show"]

SHOWN_REASONS = 8  # constraints on Q listed, heaviest first
_MARK = {True: ("true ", "bold green"), False: ("false", "bold red"), None: ("  ?  ", "yellow")}


def printable(text: str) -> str:
    r"""The text with every character that is not printable spelled out.

    >>> printable("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def show(answer: Answer, console: Console) -> None:
    """Print the answer: in colour on a terminal, plain elsewhere."""
    console.print(render_text(answer), highlight=False)


def render_text(answer: Answer) -> RenderableType:
    """The answer as a rich renderable, made to be read at 80 columns."""
    return Group(*_head(answer), "", _tree(answer), *_reasons(answer), *_foot(answer))


def _head(answer: Answer) -> Iterator[Text]:
    if answer.question != answer.statement:
        yield Text(printable(answer.question), style="italic")
    word, style = _MARK[answer.answer]
    decision = (word.strip().upper(), style)
    if answer.unsure:
        decision = (f"UNSURE, rather {word.strip()}", "bold yellow")
    yield Text.assemble(decision, "  ", (printable(answer.statement), "bold"))
    yield Text(f"margin {answer.margin:.2f} {_margin_meaning(answer)}", style="dim")
    if answer.p_true is None and answer.verdict.margin_unit == "nats":
        yield Text("P(true) unknown: the problem is too large and dense for exact marginals", "dim")
    if answer.p_true is not None:
        yield Text(f"P(true) {answer.p_true:.2f}, marginalised over all labellings", style="dim")
    yield from _assumptions(answer)


def _assumptions(answer: Answer) -> Iterator[Text]:
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


def _margin_meaning(answer: Answer) -> str:
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


def _tree(answer: Answer) -> RenderableType:
    root = answer.tree.root
    drawn = RichTree(_node(answer, root), guide_style="dim")
    open_branches = [(root.id, drawn)]
    while open_branches:
        parent, branch = open_branches.pop()
        for node in (n for n in answer.propositions if n.parent == parent):
            open_branches.append((node.id, branch.add(_node(answer, node))))
    if answer.tree.kind == "empty":
        drawn.add(Text("empty tree: the model is consistent on no proposition", "yellow"))
    return drawn


def _node(answer: Answer, node: Proposition) -> Text:
    word, style = _MARK[answer.labels.get(node.id)]
    side = {True: "True, because: ", False: "False, because: ", None: ""}[node.side]
    belief = f"P(true) {_number(node.p_true)}, of its negation {_number(node.p_true_negation)}"
    integral = "integral" if node.integral else "wavers"
    if node.parent is not None and node.id not in answer.tree.by_id:
        integral += ", pruned"
    if twin := answer.verdict.twin(node.id):
        integral += f", the same as {twin}"
    return Text.assemble(
        (f"{node.id} ", "cyan"),
        (word, style),
        "  ",
        (side, "dim"),
        printable(node.statement),
        "\n",
        (f"{belief}, {integral}{_weighed(answer, node)}", "dim"),
    )


def _weighed(answer: Answer, node: Proposition) -> str:
    strength = (answer.verdict.strengths or {}).get(node.id)
    if strength is not None:
        return f"; strength {strength:.2f}"
    p = (answer.verdict.p_labels or {}).get(node.id)
    return "" if p is None or node.parent is None else f"; in the whole tree {p:.2f}"


def _number(p: float | None) -> str:
    return "unknown" if p is None else f"{p:.2f}"


def _reasons(answer: Answer) -> Iterator[RenderableType]:
    """The constraints that touch Q: those that hold decided it, the others were overruled."""
    broken = set(answer.verdict.violated)
    touching = [
        (index not in broken, constraint)
        for index, constraint in enumerate(answer.verdict.constraints)
        if constraint.touches_root
    ]
    touching.sort(key=lambda item: -item[1].weight)
    for title, wanted in (("What speaks for it", True), ("What was overruled", False)):
        chosen = [constraint for holds, constraint in touching if holds == wanted]
        if wanted:
            chosen = [c for c in chosen if _speaks(answer, c)]
        if not chosen:
            continue
        yield Text(f"\n{title}", style="bold")
        for constraint in chosen[:SHOWN_REASONS]:
            yield _reason(constraint)
        if len(chosen) > SHOWN_REASONS:
            yield Text(f"  … and {len(chosen) - SHOWN_REASONS} weaker ones", style="dim")
    yield from _flip(answer)
    yield from _ballots(answer)


def _flip(answer: Answer) -> Iterator[Text]:
    flip = answer.verdict.flip
    if flip is None:
        return
    other = "false" if answer.answer else "true"
    yield Text(f"\nWhat would change its mind: {other} is at least as good without", style="bold")
    for index in flip:
        yield _reason(answer.verdict.constraints[index])
    if not flip:
        yield Text("  nothing: it is as good already")


def _speaks(answer: Answer, constraint: Constraint) -> bool:
    """Whether a constraint that holds would break if Q alone had the other label."""
    labels = {**answer.labels, ROOT: not answer.answer}
    return not any(literal.holds(labels[literal.id]) for literal in constraint.clause)


def _reason(constraint: Constraint) -> Text:
    return Text.assemble((f"  {constraint.weight:5.2f}  ", "cyan"), _phrase(constraint))


def _phrase(constraint: Constraint) -> str:
    source, target = str(constraint.source), str(constraint.target)
    return {
        "belief": f"the model believes {source}",
        "entailment": f"{source} entails {target}",
        "contradiction": f"{source} contradicts {target}",
        "tree": f"{source} was given as a reason for {target}",
        "bias": f"of such statements {source} is the commoner side",
    }[constraint.kind]


def _ballots(answer: Answer) -> Iterator[Text]:
    if answer.verdict.votes:
        yield Text("\nVotes on Q by the explanations labelled true", style="bold")
        for literal, vote in answer.verdict.votes.items():
            yield Text.assemble((f"  {vote:+d}  ", "cyan"), str(literal))


def _foot(answer: Answer) -> Iterator[Text]:
    lines = []
    if answer.discard_counts:
        counts = ", ".join(f"{count} {reason}" for reason, count in answer.discard_counts.items())
        lines.append(f"discarded: {printable(counts)}")
    models, seconds = answer.models, answer.seconds
    grown = f"grown by {models.lm}" if models.lm else "grown elsewhere"
    lines.append(printable(f"{grown}; related by {models.verifier}"))
    solver = f"solved by {answer.verdict.solver}" if answer.verdict.solver else "no solver needed"
    lines.append(printable(f"{solver} ({answer.verdict.inference} inference)"))
    lines.append(f"elicit {seconds.elicit:.2f} s, relate {seconds.relate:.2f} s, solve {seconds.solve:.2f} s")
    yield Text("\n" + "\n".join(lines), style="dim")
