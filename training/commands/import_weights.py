"""The subcommand `import` and its options."""

from __future__ import annotations

import argparse
from pathlib import Path

from training.bundle.import_formats import HEADS, INPUTS
from training.commands.options import say, whole_number


def import_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `import`."""
    parser.add_argument("file", type=Path, help="a state dict, as written by torch.save")
    parser.add_argument(
        "--architecture", choices=tuple(HEADS), default="densenet121", help="default: %(default)s"
    )
    parser.add_argument(
        "--finding", dest="findings", action="append", required=True, metavar="NAME",
        help="name of an output; repeat it for each output, in their order. --finding=-NAME marks "
        "a normal finding",
    )  # fmt: skip
    parser.add_argument(
        "--activation",
        choices=("sigmoid", "softmax"),
        default="sigmoid",
        help="default: %(default)s",
    )
    parser.add_argument(
        "--input", choices=tuple(INPUTS), default="imagenet",
        help="how the network's training films were normalised (default: %(default)s, as for "
        "CheXNet)",
    )  # fmt: skip
    parser.add_argument(
        "--size",
        metavar="PIXELS",
        type=whole_number(8, 4096),
        default=224,
        help="input side (default: %(default)s)",
    )
    parser.add_argument(
        "--fit", choices=("stretch", "letterbox", "center_crop"), default="stretch",
        help="how a film becomes square (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--name", help="name of the model (default: that of the file)")
    parser.add_argument("--out", type=Path, required=True, help="the new bundle")


def import_state_dict(args: argparse.Namespace) -> None:
    """Write the bundle of a state dict."""
    from training.bundle.import_weights import ImportOptions, import_state

    options = ImportOptions(
        args.architecture, tuple(args.findings), args.activation, args.input, args.size, args.fit,
        args.name or args.file.stem,
    )  # fmt: skip
    import_state(args.file, options, args.out, say)
