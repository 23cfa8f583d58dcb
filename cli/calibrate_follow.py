"""What ``maieutic calibrate`` does: read, relate, learn, report, write."""

from __future__ import annotations

import json as jsonlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from maieutic.benchmarks.calibration.fit import MAX_PROPOSITIONS, Evidence, evidence_of, fit, joined
from maieutic.benchmarks.calibration.study import Row, Study, study, without_weights
from maieutic.cli.console import complain, tracked
from maieutic.errors import InputError, MaieuticError
from maieutic.files.json_lines import read_trees
from maieutic.inference.weights import JointWeights, weights_toml
from maieutic.nli import Verifier
from maieutic.relate import relate
from maieutic.render.text import printable
from maieutic.tree import Tree

__all__ = ["Calibration"]

BATCH_TREES = 64  # trees whose pairs the verifier gets in one call
COLUMNS = ("accuracy", "half", "nll", "brier", "ece")


class Calibration:
    """One run of the command.

    Args:
        json: print one object at the end instead of tables as they are ready.
        weights_file: where ``plan.start`` comes from, None for the package's own.
    """

    def __init__(self, plan: Study, *, json: bool, weights_file: Path | None = None) -> None:
        self.plan = plan
        self.weights_file = weights_file
        self.json = json
        self.weights: JointWeights | None = None

    def read(self, path: Path) -> list[Tree]:
        """The trees that can be learned from; how many are left out, and why, is told on stderr.

        Raises:
            FileFormatError: a line is no tree, or a folder is not that of a run.
            InputError: nothing is left, or all gold answers are the same.
        """
        trees = _grown(path) if path.is_dir() else [tree for _, tree in read_trees(path)]
        known = [tree for tree in trees if tree.answer is not None]
        small = [tree for tree in known if len(tree.nodes) <= MAX_PROPOSITIONS]
        if len(known) < len(trees):
            complain(
                f"{path.name}: {len(trees) - len(known)} of {len(trees)} trees have no gold answer; left out"
            )
        if len(small) < len(known):
            complain(
                f"{path.name}: {len(known) - len(small)} trees have more than {MAX_PROPOSITIONS} "
                "propositions; left out"
            )
        answers = {tree.answer for tree in small}
        if len(answers) < 2:
            found = (
                f"all {len(small)} gold answers are {str(*answers).lower()}" if answers else "no gold answers"
            )
            raise InputError(f"{path}: {found}; weights are learned from true and false ones")
        questions = len({tree.question for tree in small})
        if questions < self.plan.folds:
            raise InputError(
                f"{path}: {questions} questions are fewer than {self.plan.folds} folds; lower --folds"
            )
        return small

    def follow(self, read: Mapping[str, Sequence[Tree]], verifier: Verifier) -> None:
        """Learn and report."""
        rows: list[Row] = []
        sets: dict[str, Evidence] = {}
        for name, trees in read.items():
            batches = [trees[i : i + BATCH_TREES] for i in range(0, len(trees), BATCH_TREES)]
            related = tracked(batches, f"relate {name}", len(batches))
            graphs = [graph for batch in related for graph in relate(batch, verifier)]
            sets[name] = evidence_of(trees, graphs, self.plan.start)
            rows += without_weights(name, sets[name], trees, graphs)
        rows += tracked(study(sets, self.plan), "learn")
        self.weights = fit(joined(list(sets.values())), self.plan.start, off=self.plan.off, l2=self.plan.l2)
        if self.json:
            typer.echo(jsonlib.dumps({"weights": asdict(self.weights), "rows": [_plain(r) for r in rows]}))
        else:
            self._print(rows)

    def write(self, out: Path, files: Sequence[str], verifier: str) -> None:
        """The weights learned from all files together.

        Raises:
            MaieuticError: the file cannot be written.
        """
        assert self.weights is not None
        more = "".join(f" --off {name}" for name in self.plan.off)
        if self.weights_file is not None:
            more += f" --weights {self.weights_file.name}"
        command = f"maieutic calibrate {' '.join(files)} --nli {verifier} --l2 {self.plan.l2:g}{more}"
        try:
            out.write_text(weights_toml(self.weights, {"command": command}), encoding="utf-8")
        except OSError as error:
            raise MaieuticError(
                f"cannot write {out} ({error.strerror}); give --out a place you may write"
            ) from None
        complain(f"wrote {out}")

    def _print(self, rows: Sequence[Row]) -> None:
        console = Console(highlight=False)
        ordered = sorted(rows, key=lambda row: (row.data, row.kind))
        for (data, kind), group in groupby(ordered, key=lambda row: (row.data, row.kind)):
            found = list(group)
            console.print()
            console.print(printable(f"{data}, {kind}: {found[0].trees} trees"), markup=False, emoji=False)
            table = Table("", "accuracy", "surer half", "NLL", "Brier", "ECE")
            for row in found:
                table.add_row(printable(row.way), *(_cell(row, name) for name in COLUMNS))
            console.print(table)
        console.print("learned from all files")
        for name, value in asdict(self.weights).items() if self.weights else ():
            console.print(f"  {name:14} {value:.3f}")


def _grown(folder: Path) -> list[Tree]:
    from maieutic.benchmarks.runs.folder import read_run

    trees = read_run(folder).trees
    if not trees:
        raise InputError(f"{folder} is a run without trees; give one of the method maieutic")
    return trees


def _cell(row: Row, name: str) -> str:
    if name != "accuracy" and not row.probabilities:
        return "–"
    scale, digits = (100, 1) if name in ("accuracy", "half") else (1, 3)
    text = f"{scale * row.mean(name):.{digits}f}"
    return text if len(row.scores) == 1 else f"{text} ±{scale * row.spread(name) / 2:.{digits}f}"


def _plain(row: Row) -> dict[str, object]:
    names = COLUMNS if row.probabilities else ("accuracy",)
    means = {name: row.mean(name) for name in names}
    spreads = {f"{name}_spread": row.spread(name) for name in names}
    return {"data": row.data, "kind": row.kind, "way": row.way, "trees": row.trees} | means | spreads
