"""A benchmark: a configuration with its questions and its method, run in full or on a sample."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from operator import attrgetter
from pathlib import Path

from maieutic.benchmarks.datasets import Loaded, load_items
from maieutic.benchmarks.datasets.base import Item
from maieutic.benchmarks.datasets.drawing import draw
from maieutic.benchmarks.datasets.fetch import OnProgress
from maieutic.benchmarks.methods import build_method
from maieutic.benchmarks.methods.base import Method
from maieutic.benchmarks.runs.config import RunConfig
from maieutic.benchmarks.runs.estimating import Estimate, estimate
from maieutic.benchmarks.runs.examples import example_prompts
from maieutic.benchmarks.runs.folder import RunFolder, Written
from maieutic.benchmarks.runs.models import device_of, models_of, server_of, with_trees
from maieutic.benchmarks.runs.provenance import check_unchanged, provenance
from maieutic.benchmarks.runs.runner import Stopped, run, unanswered
from maieutic.cache.store import ResponseStore
from maieutic.files.json_lines import OnBad
from maieutic.models import LoadedModels
from maieutic.progress import Progress

__all__ = ["Benchmark"]


@dataclass(frozen=True)
class Benchmark:
    """The questions of a run and the method; no model is loaded yet.

    Attributes:
        items: the questions drawn, with their trees where the run answers given trees.
    """

    config: RunConfig
    loaded: Loaded
    items: tuple[Item, ...]
    method: Method

    @classmethod
    def load(
        cls,
        config: RunConfig,
        *,
        download: bool = False,
        on_progress: OnProgress | None = None,
        on_bad: OnBad | None = None,
    ) -> Benchmark:
        """Read the data, so that errors in them are reported before models load.

        Args:
            config: complete.
            download, on_progress, on_bad: see :func:`maieutic.benchmarks.datasets.load_items`.

        Raises:
            InputError: the data are missing.
            FileFormatError: a file of the data, or the file of trees, is broken.
            MaieuticError: a download failed.
        """
        loaded = load_items(
            config.dataset,
            data=Path(config.data) if config.data else None,
            split=config.split,
            download=download,
            on_progress=on_progress,
            on_bad=on_bad,
        )
        drawn = draw(loaded.items, config.limit, config.seed, attrgetter("pair"))
        items = with_trees(drawn, config)
        return cls(config, loaded, tuple(items), build_method(config.method, config.settings, config.seed))

    def run(
        self,
        folder: RunFolder,
        *,
        download: bool = False,
        cache: ResponseStore | None = None,
        stopped: Stopped = lambda: False,
        progress: Progress | None = None,
        models: LoadedModels | None = None,
    ) -> Iterator[list[Written]]:
        """Answer the questions that have no record; each batch is written to disk before it is yielded.

        Args:
            folder: entered, of the same configuration.
            cache: stores the models' replies; None asks the models every time.
            stopped: called between batches.
            progress: receives each step of a tree method when it ends.
            models: those of the configuration, with this cache, where they are open already.

        Raises:
            InputError: a model cannot be loaded, or its files, or the data, have changed since the run began.
            ServerError: a model's server failed; the questions of the batch stay without a record.
            MaieuticError: the folder can no longer be written.
        """
        if folder.answered:
            check_unchanged(folder.folder, self.config, self.loaded)
        open_items = unanswered(self.items, folder.answered)
        if not open_items:
            return
        models = models or models_of(self.config, download=download, cache=cache)
        models = replace(models, progress=progress)
        folder.write_provenance(self._provenance(models))
        source = self.config.belief_source
        for batch in run(open_items, self.method, models, self.config.batch, stopped, cache):
            records = [replace(record, belief_source=source) for record in batch]
            yield folder.write(records)

    def _provenance(self, models: LoadedModels) -> str:
        kinds = () if self.config.weighs_trees else self.method.prompt_kinds
        return provenance(
            self.config,
            self.loaded,
            len(self.items),
            device_of(models),
            server_of(models),
            example_prompts(models.prompts, kinds, self.items[0].text),
        )

    def estimate(self, *, download: bool = False) -> Estimate:
        """Estimate the cost of the whole run from a sample; nothing is written and no cache is used.

        Raises:
            InputError: a model cannot be loaded.
        """
        models = models_of(self.config, download=download)
        return estimate(self.items, self.method, models, self.config.batch, self.config.seed)
