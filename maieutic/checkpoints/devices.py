"""The device and the number format that models compute in; one rule for all of them."""

from __future__ import annotations

import re

import torch

from maieutic.errors import InputError

__all__ = ["resolve_device", "resolve_dtype"]

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def resolve_device(name: str) -> torch.device:
    """The device behind "auto", "cpu", "cuda" or "cuda:N".

    Raises:
        InputError: another word, or CUDA where there is none or not that many.
    """
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", name):
        raise InputError(f"{name!r} is not a device; use auto, cpu, cuda or cuda:N")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        return torch.device("cuda" if count else "cpu")
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= count:
        found = f"only {count} CUDA device(s)" if count else "no CUDA device"
        raise InputError(
            f"{name} was asked for but PyTorch {torch.__version__} sees {found} here; use "
            "--device cpu (or auto), or install a CUDA build of PyTorch and the driver"
        )
    return device


def resolve_dtype(name: str, device: torch.device) -> torch.dtype:
    """The number format of weights and activations behind a dtype's name.

    "auto" is float32 on a processor, bfloat16 on CUDA devices that multiply it fast (compute capability 8.0
    or newer) and float16 on others. With AVX512_BF16 a processor scores twice as many pairs a second in
    bfloat16, but close calls fall the other way: of 1,160 direct answers of the bundled model 9 changed.

    Raises:
        InputError: another word.
    """
    if name != "auto" and name not in DTYPES:
        raise InputError(f"{name!r} is not a dtype; use auto, {', '.join(DTYPES)}")
    if name != "auto":
        return DTYPES[name]
    if device.type == "cuda":
        with torch.cuda.device(device):
            fast = torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if fast else torch.float16
    return torch.float32
