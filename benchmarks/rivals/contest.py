"""The runs of all methods on the same questions with the same models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from maieutic.benchmarks.analysis.comparison import Comparison, compare
from maieutic.benchmarks.rivals.lineup import Rival
from maieutic.benchmarks.runs.benchmark import Benchmark
from maieutic.benchmarks.runs.brief import read_brief
from maieutic.benchmarks.runs.config import RunConfig
from maieutic.benchmarks.runs.folder import Run, RunFolder
from maieutic.benchmarks.runs.models import models_of
from maieutic.benchmarks.runs.runner import check_judged
from maieutic.cache.store import ResponseStore
from maieutic.models import LoadedModels

__all__ = ["Contest"]

Log = Callable[[str], None]


@dataclass(frozen=True)
class Contest:
    """Methods on one data set.

    Attributes:
        config: of the runs: data, models, limit and seed; the method is exchanged.
        folder: of the runs, one folder each.
    """

    config: RunConfig
    rivals: tuple[Rival, ...]
    folder: Path

    def runs(self, cache: ResponseStore | None, log: Log, *, download: bool = False) -> list[Run]:
        """Answer what has no record yet and read all runs; the models are opened once, where they are needed.

        Args:
            cache: stores the models' replies, so that methods that sample alike share them.

        Raises:
            InputError: the data or a model cannot be used, or a folder belongs to another run.
            MaieuticError: the language model judged nothing, or a folder cannot be written.
        """
        models: LoadedModels | None = None
        done: list[Run] = []
        for rival in self.rivals:
            config = self.configured(rival)
            benchmark = Benchmark.load(config, download=download)
            with RunFolder(self.path(rival), config) as folder:
                if len(folder.answered) < len(benchmark.items):
                    models = models or models_of(self._whole, download=download, cache=cache)
                for _ in benchmark.run(folder, cache=cache, models=models):
                    log(f"{config.dataset}, {rival.label}: {len(folder.answered)} of {len(benchmark.items)}")
            done.append(read_brief(self.path(rival)))
            check_judged(done[-1].records, config.lm)
        return done

    def compared(self, runs: list[Run]) -> Comparison:
        """The runs at the same questions, each against the last, which is maieutic's."""
        return compare(runs, baseline=runs[-1].folder, seed=self.config.seed)

    def configured(self, rival: Rival) -> RunConfig:
        """The configuration of a method's run."""
        return replace(self.config, method=rival.method, settings=rival.settings).complete()

    def path(self, rival: Rival) -> Path:
        """The folder of a method's run."""
        return self.folder / rival.folder

    @property
    def _whole(self) -> RunConfig:
        """A configuration that needs both models."""
        return replace(self.config, method="maieutic", settings={}).complete()
