"""Prompts and pairs scored per second, beside lm-evaluation-harness and sentence-transformers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from maieutic.benchmarks.throughput.clock import OURS, Side, best_of, first_line
from maieutic.benchmarks.throughput.hardware import Sizes, Work, counted, multiplying, rate
from maieutic.benchmarks.throughput.table import TableRow
from maieutic.benchmarks.throughput.workbench import PAIRS, PROMPTS, Workbench
from maieutic.lm.base import FloatArray, LanguageModel, Prompt
from maieutic.nli.base import Pair, Probabilities
from maieutic.nli.local import TransformersVerifier, label_columns

__all__ = [
    "LM_EVAL",
    "SENTENCE_TRANSFORMERS",
    "Chooser",
    "choose_rows",
    "imported",
    "verifier_rows",
    "version_of",
]

# -- other people's packages, where they are installed -------------------------------------------------


LM_EVAL, SENTENCE_TRANSFORMERS = "lm_eval", "sentence_transformers"
_REMEDY = "pip install 'maieutic[throughput]'"


def imported(package: str, module: str) -> tuple[Any, str]:
    """(a module of the package, ""), or (None, the reason and the remedy)."""
    try:
        return import_module(f"{package}.{module}"), ""
    except ModuleNotFoundError as error:
        own = error.name is None or error.name.startswith(package)
        return None, f"{package if own else error.name} is not installed: {_REMEDY}"
    except Exception as error:  # incompatible packages raise anything
        return None, f"{package} cannot be loaded ({type(error).__name__}: {first_line(error)})"


def version_of(package: str) -> str:
    """The installed version; "" for none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


# -- prompts beside lm-evaluation-harness --------------------------------------------------------------


PROMPT_BATCHES = {"cpu": (1, 4, 16), "cuda": (8, 32, 128)}


class Chooser:
    """Scores the options of some prompts with maieutic.

    Attributes:
        probabilities: P(option | prompt) of the last run; ``computed``: the model's work in it.
    """

    def __init__(self, bench: Workbench, prompts: Sequence[Prompt]) -> None:
        self._bench, self.prompts = bench, prompts
        self._lm: LanguageModel | None = None
        self.probabilities: FloatArray = np.empty(0)
        self.computed = Work()

    @contextmanager
    def around(self) -> Iterator[None]:
        """A backend that has not read the examples yet: reading them is part of the work."""
        self._lm = self._bench.subject.fresh()
        with counted(self._bench.subject.checkpoint.model) as self.computed:
            yield

    def work(self) -> float:
        """Score all; returns their number."""
        assert self._lm is not None
        self.probabilities = self._lm.choose(self.prompts, self._bench.subject.prompts.answers).probabilities
        return len(self.prompts)


class Harness:
    """The same with lm-evaluation-harness, for one batch size."""

    def __init__(self, bench: Workbench, prompts: Sequence[Prompt], batch_size: int, module: Any) -> None:
        subject = bench.subject
        self._bench, self.batch_size, self._module = bench, batch_size, module
        self._texts = subject.vocabulary.render(prompts)
        # Its tokenizer opens texts as ours does; a chat template has done so already.
        bos = subject.checkpoint.tokenizer.bos_token_id
        opened = subject.tokens(prompts[:1])[0][:1] == (bos,)
        self._opens = subject.prompts.format == "text" and opened
        self._instance = imported(LM_EVAL, "api.instance")[0].Instance
        self._lm: Any = None
        self.probabilities: FloatArray = np.empty(0)

    @contextmanager
    def around(self) -> Iterator[None]:
        checkpoint = self._bench.subject.checkpoint
        with ExitStack() as stack:
            stack.enter_context(self._bench.subject.plain())
            self._lm = self._lm or self._module.HFLM(
                pretrained=checkpoint.model,
                tokenizer=deepcopy(checkpoint.tokenizer),
                batch_size=self.batch_size,
                add_bos_token=self._opens,
                max_length=checkpoint.window,
            )
            yield

    def work(self) -> float:
        options = self._bench.subject.prompts.answers
        requests = [
            self._instance("loglikelihood", {}, (text, option), place)
            for text in self._texts
            for place, option in enumerate(options)
        ]
        scored = self._lm.loglikelihood(requests, disable_tqdm=True)
        self.probabilities = np.exp([score for score, _ in scored]).reshape(len(self._texts), len(options))
        return len(self._texts)


def choose_rows(bench: Workbench) -> list[TableRow]:
    """The prompts of verdicts, two options each, beside the harness and beside the matrix rate."""
    clock, checkpoint = bench.clock, bench.subject.checkpoint
    prompts = bench.prompts("verdict", PROMPTS[clock.device.type] * bench.questions)
    ours = Chooser(bench, prompts)
    mine = Side(OURS, ours.work, ours.around, {"prompts": len(prompts)})
    harnesses, missing = _harnesses(bench, prompts)
    candidates = [
        Side(f"{LM_EVAL} {version_of(LM_EVAL)}", one.work, one.around, {"batch_size": one.batch_size})
        for one in harnesses
    ]
    first, other, (product,), reason = clock.beside(mine, candidates, multiplying(clock, checkpoint.dtype))
    length = sum(map(len, bench.subject.tokens(prompts))) / len(prompts)
    note = f"{len(prompts)} prompts of {length:.0f} tokens, whose examples ours reads once, within the time."
    if other:
        theirs = next(harness.probabilities for harness in harnesses if harness.probabilities.size)
        gap = float(np.abs(np.log(ours.probabilities) - np.log(theirs)).max())
        first = first.times(1, largest_difference=gap)
        note += (
            f" The other's loglikelihood of the same texts and options. {best_of(other)} "
            f"Log-probabilities differ by at most {gap:.1g} nats."
        )
    amount = Sizes.of(checkpoint.model).operations(ours.computed) / 1e12
    share = "Operations of the weights and of attention, padding not counted, in the time of the row above."
    achieved = rate(amount, first.seconds)
    return [
        TableRow("choose", "prompts scored", "per second", first, other, note, missing or reason),
        TableRow("choose", "choose: matrix rate", "TFLOP/s", achieved, product, share, reads="share"),
    ]


def _harnesses(bench: Workbench, prompts: Sequence[Prompt]) -> tuple[list[Harness], str]:
    """The harness with each batch size, or none and the reason."""
    module, missing = imported(LM_EVAL, "models.huggingface")
    if missing:
        return [], missing
    return [Harness(bench, prompts, size, module) for size in PROMPT_BATCHES[bench.clock.device.type]], ""


# -- pairs beside sentence-transformers ----------------------------------------------------------------


PAIR_BATCHES = {"cpu": (8, 32, 128), "cuda": (64, 256, 1024)}


class Scorer:
    """Scores pairs with maieutic."""

    def __init__(self, verifier: TransformersVerifier, pairs: Sequence[Pair]) -> None:
        self._verifier, self._pairs = verifier, pairs
        self.probabilities: Probabilities = np.empty((0, 3), np.float32)

    def work(self) -> float:
        """Score all; returns their number."""
        self.probabilities = self._verifier.predict(self._pairs)
        return len(self._pairs)


class CrossEncoder:
    """The same with sentence-transformers, for one batch size."""

    def __init__(self, model: Any, pairs: Sequence[Pair], batch_size: int) -> None:
        self._model, self._pairs, self.batch_size = model, list(pairs), batch_size
        config = model.config
        self._columns = label_columns(config.id2label, str(config.name_or_path))
        self.probabilities: Probabilities = np.empty((0, 3), np.float32)

    def work(self) -> float:
        """Score all; returns their number."""
        scores = self._model.predict(
            self._pairs, batch_size=self.batch_size, apply_softmax=True, show_progress_bar=False
        )
        self.probabilities = np.asarray(scores, dtype=np.float32) @ self._columns
        return len(self._pairs)


def verifier_rows(bench: Workbench) -> list[TableRow]:
    """One row: the same pairs in the same number format on both sides."""
    pairs = bench.pairs(PAIRS * bench.questions)
    ours = Scorer(TransformersVerifier(bench.verifier), pairs)
    mine = Side(OURS, ours.work, details={"pairs": len(pairs)})
    encoders, missing = _encoders(bench, pairs)
    name = f"{SENTENCE_TRANSFORMERS} {version_of(SENTENCE_TRANSFORMERS)}"
    candidates = [Side(name, one.work, details={"batch_size": one.batch_size}) for one in encoders]
    first, other, _, reason = bench.clock.beside(mine, candidates)
    words = [len(premise.split()) + len(hypothesis.split()) for premise, hypothesis in pairs]
    note = f"{len(pairs)} pairs of {min(words)} to {max(words)} words, {bench.verifier.dtype_name}."
    if other:
        theirs = next(encoder.probabilities for encoder in encoders if len(encoder.probabilities))
        gap = float(np.abs(ours.probabilities - theirs).max())
        first = first.times(1, largest_difference=gap)
        note += f" {best_of(other)} Probabilities differ by at most {gap:.1g}."
    return [TableRow("verifier", "pairs scored", "per second", first, other, note, missing or reason)]


def _encoders(bench: Workbench, pairs: Sequence[Pair]) -> tuple[list[CrossEncoder], str]:
    """The cross-encoder with each batch size, or none and the reason."""
    module, missing = imported(SENTENCE_TRANSFORMERS, "cross_encoder")
    if missing:
        return [], missing
    checkpoint = bench.verifier
    model = module.CrossEncoder(
        str(checkpoint.folder),
        device=str(checkpoint.device),
        local_files_only=True,
        model_kwargs={"dtype": checkpoint.dtype},
    )
    assert {weight.dtype for weight in model.parameters()} == {checkpoint.dtype}
    return [CrossEncoder(model, pairs, size) for size in PAIR_BATCHES[bench.clock.device.type]], ""
