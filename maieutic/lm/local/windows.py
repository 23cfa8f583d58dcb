"""How long a trial must be to look beyond a model's sliding windows."""

from __future__ import annotations

from typing import Any

__all__ = ["LONGEST_WINDOW", "trial_length"]

LEAST = 24  # tokens of a trial
BEYOND = 8  # tokens of a trial that a sliding window no longer reaches
LONGEST_WINDOW = 512  # tokens of a sliding window that a trial looks beyond; longer ones would take too long

# Names of sliding windows in configurations and in layers; some layers have one that no configuration names.
_WINDOWS = (
    "sliding_window",
    "sliding_window_size",
    "attention_window_size",
    "attention_window",
    "local_attention",
    "window_size",
    "attention_chunk_size",
)


def trial_length(model: Any, window: int | None) -> int:
    """Tokens of a trial that looks back beyond the model's shortest sliding window.

    Args:
        window: largest number of tokens in a sequence; None if there is no limit.
    """
    config = model.config.get_text_config()
    owners = [config, *model.modules()]
    values = [getattr(owner, name, None) for owner in owners for name in _WINDOWS]
    sliding = [one for one in values if type(one) is int and 0 < one <= LONGEST_WINDOW]
    return min(max(LEAST, max(sliding, default=0) + BEYOND), window or LONGEST_WINDOW + BEYOND)
