"""The trees that ``maieutic calibrate`` learns from: files, folders of runs, and a run of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maieutic.benchmarks.datasets import DATASETS
from maieutic.benchmarks.runs.config import RunConfig
from maieutic.benchmarks.runs.models import models_of
from maieutic.bundled import AGORA, bundled_weights
from maieutic.cli.bench.run import answer_benchmark, load_benchmark
from maieutic.cli.bench.summary import print_summary
from maieutic.cli.options import weights_from
from maieutic.errors import InputError
from maieutic.inference.weights import DEFAULT_WEIGHTS, JointWeights
from maieutic.models import asks_lm, open_verifier
from maieutic.nli.base import Verifier

if TYPE_CHECKING:
    from maieutic.benchmarks.runs.folder import Run
    from maieutic.tree import Tree

__all__ = ["OwnRun", "read_sets", "start_of", "verifier_of"]

TRAIN = "train"  # the split to learn from, where a data set has it
EVERY_QUESTION = {"confidence": 1.0}  # no answer is that sure, so every question is grown


@dataclass(frozen=True)
class OwnRun:
    """A run of the method maieutic in which every question is grown.

    Attributes:
        config: complete.
        folder: of the run; an interrupted run continues.
    """

    config: RunConfig
    folder: Path

    @classmethod
    def of(cls, given: RunConfig, folder: Path | None) -> OwnRun:
        """The run on a data set and models; without a folder it gets one named after both.

        Raises:
            InputError: the data set brings its own trees, or something does not fit.
        """
        if given.dataset == "trees":
            problem = "the data set trees has its own trees; give their file as an argument, without --on"
            raise InputError(problem, subject="--on")
        split = given.split or (TRAIN if TRAIN in DATASETS[given.dataset].splits else "")
        config = replace(given, split=split, settings=EVERY_QUESTION).complete()
        return cls(config, folder or Path(f"{_model_name(config.lm)}-{config.dataset}"))

    @property
    def words(self) -> list[str]:
        """The run on the command line of ``calibrate``; a file is named without its folder."""
        config = self.config
        words = ["--on", config.dataset, "--split", config.split, "--limit", str(config.limit)]
        words += ["--lm", config.lm]
        words += ["--data", Path(config.data).name] if config.data else []
        usual = {field.name: field.default for field in fields(RunConfig)}
        for name in ("seed", "prompts", "beliefs"):
            if (value := getattr(config, name)) != usual[name]:
                words += [f"--{name}", str(value)]
        return words

    def grow(self, *, download: bool, cache: bool, json: bool) -> None:
        """Grow the trees that the folder lacks, and print the run's summary unless ``json``.

        Raises:
            MaieuticError: the language model judged nothing.
            typer.Exit: with code 130 after Ctrl-C; the records stay.
        """
        benchmark = load_benchmark(self.config, download=download)
        report = _no_report if json else partial(print_summary, json=False)
        answer_benchmark(benchmark, self.folder, report, download=download, cache=cache)


def _no_report(_: Run) -> None:
    """Print nothing."""


def _model_name(lm: str) -> str:
    """What a folder can be named after a language model.

    >>> _model_name("Qwen/Qwen2.5-0.5B"), _model_name("http://localhost:8000/v1#team/model:7b")
    ('Qwen2.5-0.5B', 'model-7b')
    """
    last = re.split(r"[/\\#]", lm.rstrip("/\\"))[-1]
    return re.sub(r"[^\w.-]+", "-", last).strip("-.") or "model"


def read_sets(
    paths: Sequence[Path],
    run: OwnRun | None,
    read: Callable[[Path], list[Tree]],
    **grow: bool,
) -> dict[str, list[Tree]]:
    """The trees by the name of their file or folder; those of the run are grown after the others were read.

    Args:
        read: reads the trees of a file or folder.
        grow: as for :meth:`OwnRun.grow`.

    Raises:
        InputError: two names are the same; ``subject`` is "trees".
    """
    folders = [run.folder] if run else []
    names = [path.resolve().name.removesuffix(".gz").removesuffix(".jsonl") for path in (*paths, *folders)]
    if len(set(names)) < len(names):
        problem = "two files have the same name; rename one, since the report uses the names"
        raise InputError(problem, subject="trees")
    sets = {name: read(path) for name, path in zip(names, paths, strict=False)}
    if run is not None:
        run.grow(**grow)
        sets[names[-1]] = read(run.folder)
    return sets


def start_of(weights: Path | None, run: OwnRun | None) -> JointWeights:
    """The weights of the file; without one those that the run's models have without learning."""
    if weights is None and run is not None and run.config.settings["weights"] == AGORA:
        weights = bundled_weights()
    return weights_from(weights) or DEFAULT_WEIGHTS


def verifier_of(nli: str, run: OwnRun | None, **options: Any) -> Verifier:
    """The verifier of that name; ``options`` as for :func:`maieutic.models.open_verifier`.

    Raises:
        InputError: it is the language model itself, and there is no run that names one.
    """
    if not asks_lm(nli):
        return open_verifier(nli, **options)
    if run is None:
        raise InputError("--nli lm asks the language model; give it with --lm and --on", subject="--nli")
    return models_of(run.config, download=options["download"], cache=options["cache"]).verifier
