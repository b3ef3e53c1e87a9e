"""The cause of an error that torch raises, in one line, and what the user can do about it.

TorchScript surrounds the cause with its trace: a failed operation has it on a line
`RuntimeError: ...` after the trace, an operation that is not known on the first line, before it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_MAX_LENGTH = 240
_RAISED = re.compile(r"^(?:torch\.jit\.)?(?:\w+\.)*\w*(?:Error|Exception|Interrupt): *(.*)$")
_PREFIX = re.compile(r"^(?:\[?enforce fail at [^\]]*?\]|INTERNAL ASSERT FAILED at [^,]*,)[ .:]*")
_SOURCE = re.compile(
    r"^(?:The following operation failed|Traceback of TorchScript|Traceback \(most|File \"|"
    r"Serialized +File|Exception raised from|frame #\d+|~|:$|at .*:\d+:\d+$)"
)
_STOP = re.compile(r"^(?:Exception raised from|C\+\+ CapturedTraceback|Device-side assertion)")
_TAILS = (
    ". This is an internal miniz error", ". The version of your PyTorch installation",
    ". This could be because the operator", " Please check that you have an NVIDIA GPU",
    " If you are seeing this error",
)  # fmt: skip


def reason(error: BaseException) -> str:
    """The cause, as one line."""
    lines = [line.strip() for line in str(error).splitlines()]
    lines = [line for line in lines if line]
    stop = next((i for i, line in enumerate(lines) if _STOP.match(line)), len(lines))
    lines = lines[:stop] or lines
    raised = [found[1] for line in lines if (found := _RAISED.match(line)) and found[1]]
    plain = [line for line in lines if not _SOURCE.match(line) and "<--- HERE" not in line]
    text = raised[-1] if raised else plain[0] if plain else type(error).__name__
    text = _PREFIX.sub("", text).removeprefix("err == 0. ")
    for tail in _TAILS:
        text = text.partition(tail)[0]
    text = text.rstrip(" .:")
    return text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH]} ..."


@dataclass(frozen=True)
class Advice:
    """What a cause means for the model, and the field of the card that is at odds with it."""

    hint: str
    field: str = ""
    is_about_formats: bool = False
    """True where number formats, such as float16 and float32, do not match."""


_SIZE = Advice(
    "State in the card the input size and the channels that the network was trained with.",
    "preprocessing.size",
)
_FORMATS = Advice("Export the network with all its weights in float32.", is_about_formats=True)
_DEVICE = Advice(
    "The device is fixed inside the network: choose that device, or export the network on the CPU."
)
_ADVICE: tuple[tuple[str, Advice], ...] = (
    (r"can't allocate memory|out of memory|bad_alloc|not enough memory|MemoryError",
     Advice("The network needs more memory than it may use: choose a smaller one.")),
    (r"NVIDIA|CUDA|cuda|Expected all tensors to be on the same device|HIP|MPS|XPU", _DEVICE),
    (r"[Qq]uantized|qint8|quint8|qnnpack|fbgemm",
     Advice("Export the network before it is quantised.")),
    ((r"Unknown builtin op|Could not find any similar ops|Schema not found|unknown type name"
      r"|Unknown type"),
     Advice(
         "The network needs operations of a library that is not installed with XrayView: export it "
         "without them."
     )),
    (r"version \d+, but the maximum supported",
     Advice(
         "The file was written by a newer PyTorch: export it with an older one, or update PyTorch."
     )),
    (r"expected input.* to have \d+ channels|have \d+ channels, but got",
     Advice("State in the card the channels that the network takes.", "preprocessing.channels")),
    (r"5-dimensional|5D|conv3d|max_pool3d",
     Advice("The network takes volumes, not films: choose one that takes (B, C, H, W).")),
    (r"3-dimensional|conv1d|2D \(unbatched\) or 3D",
     Advice("The network takes signals, not films: choose one that takes (B, C, H, W).")),
    ((r"must be Tensor|missing value for argument|expected at most|received \d+ positional"
      r"|positional argument|missing \d+ required"),
     Advice("The network needs other inputs than one film: export it with forward(film).")),
    ((r"should be the same|same dtype|scalar type|expected m1 and m2|have the same dtype"
      r"|not implemented for '(?:Half|BFloat16|Double|ComplexFloat)'|mat1 and mat2 to have"),
     _FORMATS),
    ((r"shapes cannot be multiplied|is invalid for input of size|size of tensor|[Ss]izes of tensors"
      r"|Kernel size|[Oo]utput size is too small|Calculated (?:padded )?input size|must match"
      r"|normalized_shape|not divisible|number of dimensions|split_with_sizes|too many values"
      r"|not enough values|[Ww]rong (?:height|width|image|input)|doesn't match model|image size"),
     _SIZE),
)  # fmt: skip
_NO_ADVICE = Advice("Ask the model's authors for an export that runs on one batch of films.")


def advice(why: str) -> Advice:
    """What to do about a cause."""
    return next((known for pattern, known in _ADVICE if re.search(pattern, why)), _NO_ADVICE)
