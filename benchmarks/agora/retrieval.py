"""Candidates for related pairs by a verifier's own encoder, against BM25 over content words.

    python -m maieutic.benchmarks.agora.retrieval --nli MODEL [--sets 60] [--seed 0]

The statements of :mod:`maieutic.benchmarks.agora.together` and the explanations in them are one problem. Of
the ordered pairs that logic relates, those are counted that are among the candidates: for each statement the
texts that BM25 ranks highest, or those whose embeddings are nearest by cosine. An embedding is the mean of
the encoder's last hidden states for the text alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from maieutic.benchmarks import run_app
from maieutic.benchmarks.agora.together import recall_of_pairs, said_in, statement_sets
from maieutic.benchmarks.agora.world import load_world
from maieutic.bundled import AGORA, bundled_folder
from maieutic.checkpoints.loading import CLASSIFIER, Checkpoint, load_checkpoint

__all__ = ["embedded", "main", "nearest"]

EACH = (1, 4, 16, 48)


def embedded(checkpoint: Checkpoint, texts: Sequence[str]) -> NDArray[np.float32]:
    """The embedding of each text, of length 1: float32 (texts, width)."""
    rows = []
    for text in texts:
        encoded = checkpoint.tokenizer(text, return_tensors="pt").to(checkpoint.device)
        with torch.inference_mode():
            states = checkpoint.model.base_model(**encoded).last_hidden_state
        rows.append(states[0].float().mean(dim=0).cpu().numpy())
    found: NDArray[np.float32] = np.stack(rows)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return found


def nearest(vectors: NDArray[np.float32], each: int) -> set[tuple[int, int]]:
    """Both orders of the pairs of each vector with those nearest to it.

    Args:
        vectors: of length 1, (texts, width).
        each: how many, for one vector.

    >>> sorted(nearest(np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]], dtype=np.float32), 1))
    [(0, 1), (1, 0), (1, 2), (2, 1)]
    """
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -np.inf)
    found = set()
    for place, row in enumerate(likeness):
        for other in np.argsort(-row, kind="stable")[: min(each, len(row) - 1)]:
            found |= {(place, int(other)), (int(other), place)}
    return found


def main() -> None:
    """Print what the module's docstring names, on the test split."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nli", default=AGORA)
    parser.add_argument("--sets", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    sets = statement_sets(load_world(), "test", args.sets, args.seed)
    name = str(bundled_folder("agora-nli")) if args.nli == AGORA else args.nli
    vectors = embedded(load_checkpoint(name, CLASSIFIER), [text for text, _ in said_in(sets)])
    for each in EACH:
        words, there = recall_of_pairs(sets, each)
        encoder, _ = recall_of_pairs(sets, each, nearest(vectors, each))
        print(f"{each} for each: BM25 {words}, encoder {encoder} of {there} related pairs", flush=True)  # noqa: T201


if __name__ == "__main__":
    run_app(main)
