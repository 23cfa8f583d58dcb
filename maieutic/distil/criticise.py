"""Criticism: P(true) of statements, believed directly, after their trees, and in a graph for each head."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from maieutic.distil.export import csv_text, graphml_text
from maieutic.distil.joint import About, disagreeing, neighbours, problem_of
from maieutic.distil.relations import Relations
from maieutic.distil.stage import Lines, StageFolder, Stopped, checksum
from maieutic.distil.thresholds import Level, levels
from maieutic.distil.triples import Triple, check_distinct
from maieutic.errors import FileFormatError, InputError
from maieutic.files.json_lines import read_records
from maieutic.files.json_text import dump_json, parse_json
from maieutic.lm.beliefs import belief_source_of
from maieutic.pipeline import Maieutic
from maieutic.problem.ties import TieConfig
from maieutic.tree import Tree

__all__ = ["JUDGED", "TIES", "Criticised", "Criticising", "Judged", "criticise", "p_true_of", "read_judged"]

JUDGED = "judged.jsonl"
TREES, RECORDS, LEVELS = "trees.jsonl", "records.jsonl", "levels.json"
TIES = TieConfig(across=0.2, names=0.0, statements=0.0)
"""How statements are related by default, chosen on the bundled models with heads of the development split.

agora-nli was trained on sentences of trees and takes many pairs of unrelated statements ("fudge is a candy",
"fudge is not a ball") for contradictions. So such pairs have no weight; a verifier that judges them well
earns one.
"""
UNKNOWN = 0.5  # P(true) of a statement on which the model says nothing


@dataclass(frozen=True, slots=True)
class Criticising:
    """How statements are judged together.

    Attributes:
        heads: whose trees grow together, ≥ 1; no result depends on it.
        neighbours: most heads named by tails whose statements take part in a head's problem, ≥ 0.
        ties: how statements are related with each other.
    """

    heads: int = 2
    neighbours: int = 2
    ties: TieConfig = TIES


@dataclass(frozen=True, slots=True)
class Grown:
    """The trees of the statements about a head: a line of ``trees.jsonl``.

    Attributes:
        p_true: after reasoning, of each statement alone.
        tokens: that growing took, read and generated, in all.
    """

    head: str
    trees: tuple[Tree, ...]
    p_true: tuple[float | None, ...]
    tokens: int


@dataclass(frozen=True, slots=True)
class Judged:
    """A triple with what was found of its statement.

    Attributes:
        direct: P(true) that the model gives the statement at once, in [0, 1]; None where it says nothing.
        tree: P(true) after its tree alone.
        joint: exact P(true) in the graph of all statements about its head; None where that is too dense.
        explanations: in its tree.
        conflicts: ids of the triples that it cannot be true together with.
    """

    triple: Triple
    direct: float | None
    tree: float | None
    joint: float | None
    explanations: int
    conflicts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("direct", "tree", "joint"):
            p = getattr(self, name)
            if p is not None and not 0.0 <= p <= 1.0:
                raise InputError(f"{name} must be a probability in [0, 1], not {p}", subject=name)
        if self.explanations < 0:
            raise InputError(f"explanations must be ≥ 0, not {self.explanations}", subject="explanations")

    @property
    def p_true(self) -> float:
        """The joint P(true); where there is none that of the tree, and without that 1/2."""
        return next((p for p in (self.joint, self.tree) if p is not None), UNKNOWN)

    @property
    def columns(self) -> Mapping[str, float | str | int | None]:
        """What exports have beside the triple."""
        return {
            "p_true": self.p_true,
            "direct": self.direct,
            "tree": self.tree,
            "joint": self.joint,
            "explanations": self.explanations,
            "conflicts": " ".join(self.conflicts),
        }


@dataclass(frozen=True, slots=True)
class Together:
    """The statements about a head judged together: a line of ``records.jsonl``."""

    head: str
    judged: tuple[Judged, ...]
    left_out: int


@dataclass(frozen=True)
class Criticised:
    """A criticised corpus, finished or stopped before.

    Attributes:
        records: of the heads that are judged, in the order of the corpus.
        grown, left: heads whose trees are grown, and heads that are not judged yet.
    """

    records: tuple[Together, ...]
    grown: int
    left: int

    @cached_property
    def judged(self) -> tuple[Judged, ...]:
        """All judged triples."""
        return tuple(one for record in self.records for one in record.judged)

    @cached_property
    def levels(self) -> tuple[Level, ...]:
        """Thresholds of P(true)."""
        return tuple(levels([one.p_true for one in self.judged], [one.triple.label for one in self.judged]))

    @property
    def unsummed(self) -> int:
        """Statements whose graph was too dense to sum; P(true) is that of their tree."""
        return sum(one.joint is None for one in self.judged)

    @property
    def unjudged(self) -> int:
        """Statements of which the model said neither true nor false; without others P(true) is 1/2."""
        return sum(one.direct is None and one.tree is None for one in self.judged)

    @property
    def left_out(self) -> int:
        """Pairs of texts that the budget left unrelated."""
        return sum(record.left_out for record in self.records)


def criticise(
    triples: Sequence[Triple],
    relations: Relations,
    maieutic: Maieutic,
    out: Path,
    how: Criticising = Criticising(),
    stopped: Stopped = lambda: False,
) -> Iterator[Criticised]:
    """Judge all statements, first each in its tree, then those about a head together; the state as it grows.

    The folder gets ``judged.jsonl``, ``judged.csv``, ``judged.graphml`` and ``levels.json`` at the end,
    stopped or not.

    Raises:
        InputError: a triple has another relation, the folder is of another run, or the inference is not
            joint.
        MaieuticError: a model fails; what was judged stays.
    """
    relations.chosen(sorted({triple.relation for triple in triples}))
    by_head: dict[str, list[Triple]] = {}
    for triple in triples:
        by_head.setdefault(triple.head, []).append(triple)
    with StageFolder(out, "criticise", _settings(triples, relations, maieutic, how)) as folder:
        trees, records = folder.lines(TREES, Grown), folder.lines(RECORDS, Together)

        def state() -> Criticised:
            return Criticised(tuple(records.read), len(trees.read), len(by_head) - len(records.read))

        try:
            for _ in _grow(by_head, maieutic, trees, how, stopped):
                yield state()
            if len(trees.read) == len(by_head):
                for _ in _settle(by_head, maieutic, trees.read, records, (relations, how, stopped)):
                    yield state()
        finally:
            final = state()
            _write(folder, final)
        yield final


def p_true_of(judged: Judged, way: str) -> float:
    """P(true) by one way of judging: "direct", "tree" or "joint"; 1/2 where it is unknown.

    Raises:
        InputError: there is no such way.
    """
    if way not in ("direct", "tree", "joint"):
        raise InputError(f"no way of judging is named {way!r}; give direct, tree or joint", subject=way)
    p: float | None = judged.p_true if way == "joint" else getattr(judged, way)
    return UNKNOWN if p is None else p


def read_judged(path: Path) -> list[Judged]:
    """The judged triples of a file.

    Raises:
        FileFormatError: it cannot be read, has none, a line is none, or two have the same id or statement.
    """
    judged = [one for _, one in read_records(path, lambda line: parse_json(Judged, line))]
    if not judged:
        raise FileFormatError(path, None, "has no judged triples; give a file of maieutic distill criticise")
    check_distinct(path, [one.triple for one in judged])
    return judged


def _settings(
    triples: Sequence[Triple], relations: Relations, maieutic: Maieutic, how: Criticising
) -> dict[str, object]:
    return {
        "triples": checksum(triple.to_json() for triple in triples),
        "relations": checksum([repr(relations)]),
        "lm": maieutic.lm.name,
        "nli": maieutic.verifier.name,
        "models": [getattr(model, "fingerprint", "") for model in (maieutic.lm, maieutic.verifier)],
        "beliefs": belief_source_of(maieutic.lm),
        "prompts": checksum([repr(maieutic.prompts)]),
        "elicit": asdict(maieutic.elicit),
        "inference": repr(maieutic.inference),
        "neighbours": how.neighbours,
        "ties": asdict(how.ties),
    }


def _grow(
    by_head: Mapping[str, Sequence[Triple]],
    maieutic: Maieutic,
    trees: Lines[Grown],
    how: Criticising,
    stopped: Stopped,
) -> Iterator[None]:
    done = {each.head for each in trees.read}
    todo = [head for head in by_head if head not in done]
    for start in range(0, len(todo), how.heads):
        if stopped():
            return
        heads = todo[start : start + how.heads]
        growths = maieutic.grow([triple.statement for head in heads for triple in by_head[head]])
        answers = list(maieutic.conclude(growths))
        place, lines = 0, []
        for head in heads:
            own = answers[place : place + len(by_head[head])]
            place += len(own)
            tokens = sum(one.usage.prompt_tokens + one.usage.generated_tokens for one in own)
            found = tuple(one.p_true if one.tree.judged else None for one in own)
            lines.append(Grown(head, tuple(one.tree for one in own), found, tokens))
        trees.append(lines)
        yield


def _settle(
    by_head: Mapping[str, Sequence[Triple]],
    maieutic: Maieutic,
    grown: Sequence[Grown],
    records: Lines[Together],
    how: tuple[Relations, Criticising, Stopped],
) -> Iterator[None]:
    relations, settings, stopped = how
    about = {each.head: About(tuple(by_head[each.head]), each.trees) for each in grown}
    alone = {each.head: each.p_true for each in grown}
    done = {each.head for each in records.read}
    for head in by_head:
        if head in done:
            continue
        if stopped():
            return
        own = about[head]
        beside = [about[one] for one in neighbours(own.triples, by_head, settings.neighbours)]
        settled = maieutic.settle(problem_of(own, beside, relations), ties=settings.ties)
        against = disagreeing(settled, by_verifier=settings.ties.statements > 0.0)
        ids = [triple.id for each in (own, *beside) for triple in each.triples]
        judged = []
        for number, (triple, tree) in enumerate(zip(own.triples, own.trees, strict=True), 1):
            claim = f"C{number}"
            conflicts = sorted(int(other[1:]) for other in against[claim])
            judged.append(
                Judged(
                    triple,
                    tree.nodes[0].p_true,
                    alone[head][number - 1],
                    settled.p_true.get(claim),
                    len(tree.nodes) - 1,
                    tuple(ids[other - 1] for other in conflicts),
                )
            )
        records.append([Together(head, tuple(judged), settled.left_out)])
        yield


def _write(folder: StageFolder, state: Criticised) -> None:
    triples = [one.triple for one in state.judged]
    columns = {one.triple.id: one.columns for one in state.judged}
    folder.write(JUDGED, "".join(f"{dump_json(one)}\n" for one in state.judged))
    folder.write("judged.csv", csv_text(triples, columns))
    folder.write("judged.graphml", graphml_text(triples, columns))
    summary = {"levels": [asdict(level) for level in state.levels]}
    counts = {name: getattr(state, name) for name in ("unsummed", "unjudged", "left_out", "left")}
    folder.write(LEVELS, json.dumps(summary | counts, indent=2) + "\n")
