"""The options of `import`; what runs is imported when it runs."""

from __future__ import annotations

import argparse
from pathlib import Path

from training.bundle.import_formats import HEADS, INPUTS


def import_options(parser: argparse.ArgumentParser) -> None:
    """Options of `import`."""
    parser.add_argument("file", type=Path, help="a state dict, as torch.save wrote it")
    parser.add_argument("--architecture", choices=tuple(HEADS), default="densenet121")
    parser.add_argument(
        "--finding", dest="findings", action="append", required=True, metavar="NAME",
        help="in the order of the outputs, once for each; -NAME for a normal one (--finding=-NAME)",
    )  # fmt: skip
    parser.add_argument("--activation", choices=("sigmoid", "softmax"), default="sigmoid")
    parser.add_argument(
        "--input", choices=tuple(INPUTS), default="imagenet",
        help="how its training films were normalised (default: %(default)s, as CheXNet's were)",
    )  # fmt: skip
    parser.add_argument("--size", type=int, default=224, help="input side (default: %(default)s)")
    parser.add_argument(
        "--fit", choices=("stretch", "letterbox", "center_crop"), default="stretch",
        help="how a film becomes square (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--name", help="of the model (default: the file's)")
    parser.add_argument("--out", type=Path, required=True, help="the new bundle")


def import_state_dict(args: argparse.Namespace) -> None:
    """Write the bundle of a state dict from elsewhere."""
    from training.bundle.import_weights import ImportOptions, import_state

    options = ImportOptions(
        args.architecture, tuple(args.findings), args.activation, args.input, args.size, args.fit,
        args.name or args.file.stem,
    )  # fmt: skip
    import_state(args.file, options, args.out, lambda line: print(line, flush=True))
