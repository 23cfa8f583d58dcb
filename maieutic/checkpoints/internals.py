"""Every name of Transformers that lies below its top level, in one place.

Such names move between releases. Each function imports what it needs when it is called; where the names are
gone it says so with an ImportError, or returns what its docstring names. Everything else in this project
imports from ``transformers`` itself. The model of :mod:`maieutic.bundled.llama` answers for itself, so that
Transformers need not be imported.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import Any

from maieutic.bundled.llama import Cache

__all__ = [
    "architectures",
    "attention_of",
    "cache_parameter",
    "continuous_batching",
    "is_opened_by",
    "new_cache",
    "record_all",
    "register_attention",
]

_registering = Lock()


def architectures(mapping: str) -> frozenset[str]:
    """Class names in a mapping of model types, such as "MODEL_FOR_CAUSAL_LM_MAPPING_NAMES".

    Empty where Transformers does not have the mapping any more.
    """
    try:
        from transformers.models.auto import modeling_auto  # noqa: PLC0415
    except ImportError:
        return frozenset()
    entries = getattr(modeling_auto, mapping, {}).values()
    groups = ((entry,) if isinstance(entry, str) else entry for entry in entries)
    return frozenset(name for group in groups for name in group)


def cache_parameter(model: Any) -> str:
    """What the model's forward call names its cache of keys and values; "" where it takes none.

    ``cache`` since Transformers 5.24, ``past_key_values`` before.
    """
    parameters = inspect.signature(model.forward).parameters
    if "past_key_values" in parameters:
        return "past_key_values"
    # XLM has a ``cache`` of another type.
    return "cache" if "cache" in parameters and "Cache" in str(parameters["cache"].annotation) else ""


def is_opened_by(opener: Any, config: Any) -> bool:
    """Whether a class like AutoModelForCausalLM opens a configuration; False where that cannot be known."""
    return type(config) in getattr(opener, "_model_mapping", ())


def new_cache(model: Any) -> Any | None:
    """An empty cache of keys and values, to which rows of a batch can be added and from which they can leave.

    None for a model that remembers in another way, and where Transformers' caches are not those known here;
    texts are then drawn by its own ``generate``.
    """
    if own := getattr(model, "new_cache", None):
        return own()
    try:
        from transformers import DynamicCache  # noqa: PLC0415
        from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer  # noqa: PLC0415
    except ImportError:
        return None
    if not cache_parameter(model):
        return None
    cache = DynamicCache(config=model.config.get_text_config(decoder=True))
    plain = all(type(layer) in {DynamicLayer, DynamicSlidingWindowLayer} for layer in cache.layers)
    return cache if plain and cache.layers else None


def record_all(cache: Any) -> None:
    """Let the layers with a sliding window keep all keys and values, not only those in the window.

    Raises:
        ImportError: Transformers has no such layers under this name.
    """
    if isinstance(cache, Cache):
        return
    from transformers.cache_utils import DynamicSlidingWindowLayer  # noqa: PLC0415

    for layer in cache.layers:
        if isinstance(layer, DynamicSlidingWindowLayer):
            layer.activate_past_recording()


def attention_of(model: Any) -> str:
    """The name of the model's attention function in Transformers' registry, "sdpa" for instance."""
    return str(model.config._attn_implementation)


def register_attention(name: str, attend: Callable[..., Any], model: Any = None) -> None:
    """Add an attention function to Transformers' registry under a name, once in the life of a process.

    Models use it after ``model.set_attn_implementation(name)``; others do not notice.

    Args:
        attend: gets PyTorch's own attention function first, then what model code passes.
        model: what will use it; one that has attention functions of its own gets it there.

    Raises:
        ImportError: Transformers has no such registry, or no such function of PyTorch's, under these names.
    """
    if (own := getattr(model, "attention_functions", None)) is not None:
        own[name] = partial(attend, own["sdpa"])
        return
    from transformers import AttentionInterface, AttentionMaskInterface  # noqa: PLC0415
    from transformers.integrations.sdpa_attention import sdpa_attention_forward  # noqa: PLC0415
    from transformers.masking_utils import sdpa_mask  # noqa: PLC0415

    with _registering:
        if name not in AttentionInterface().valid_keys():
            AttentionMaskInterface.register(name, sdpa_mask)
            AttentionInterface.register(name, partial(attend, sdpa_attention_forward))


def continuous_batching() -> tuple[Any, Any]:
    """The classes of continuous batching's configuration and hints, for the throughput benchmark.

    Raises:
        ImportError: Transformers has none under these names.
    """
    from transformers.generation.configuration_utils import ContinuousBatchingConfig  # noqa: PLC0415
    from transformers.generation.continuous_batching.utils import WorkloadHints  # noqa: PLC0415

    return ContinuousBatchingConfig, WorkloadHints
