"""`init`: examine a folder of films and write a recipe for it."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from training.commands.films import data_config, describe
from training.commands.options import data_option, say
from training.disk import disk_errors, whole_text
from training.proposal.answers import Answers
from training.runs import command_line, write_json
from xrayview.errors import UsageError
from xrayview.io.dated_copy import kept_if_replaced

_QUESTIONS = {
    "name": "name of the model",
    "authors": "authors",
    "licence": "licence of the model",
    "population": "whom the films show, such as adults of one hospital",
}


def init_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `init`."""
    data_option(parser)
    parser.add_argument(
        "--out", type=Path, default=Path("recipe.toml"), help="the recipe (default: %(default)s)"
    )
    parser.add_argument("--yes", action="store_true", help="accept the proposals without asking")
    parser.add_argument(
        "--force",
        action="store_true",
        help="replace an existing recipe; a copy with the date stays",
    )
    for name, question in _QUESTIONS.items():
        parser.add_argument(f"--{name}", default="", help=question)
    parser.add_argument(
        "--set", dest="overrides", metavar="FIELD=VALUE", action="append", default=[],
        help="set a field of data instead of the proposed value: --set data.table=FILE",
    )  # fmt: skip


def init(args: argparse.Namespace) -> None:
    """Name the layout, count the films, propose target, network and split, write the recipe."""
    from training.proposal.propose import propose
    from training.proposal.recipe_text import recipe_text
    from training.recipes import recipe

    if args.out.suffix != ".toml":
        raise UsageError(f"{args.out} is not a .toml file", hint="Name it --out recipe.toml.")
    if args.out.exists() and not args.force:
        raise UsageError(
            f"{args.out} already exists", hint="Choose another name, or replace it with --force."
        )
    answers = Answers(args.name, args.authors, args.licence, args.population)
    data = data_config(args.overrides)
    proposal = propose(args.data, data, answers)
    for line in describe(proposal.films):
        say(line)
    for split, counts in proposal.counts.items():
        say(f"{split:10s} " + "  ".join(f"{name} {count}" for name, count in counts.items()))
    for remark in proposal.remarks[len(proposal.films.notes) :]:
        say(f"note       {remark}")
    target = proposal.config.target
    say(f"proposal   {target.task}: {', '.join(rule.name for rule in target.findings)}")
    if not args.yes:
        population = proposal.source.population if proposal.source else ""
        asked = _ask(proposal.config.bundle.name, population, answers)
        if asked != answers:
            proposal = propose(args.data, data, asked)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with disk_errors(args.out), kept_if_replaced(args.out) as copies, whole_text(args.out) as file:
        file.write(recipe_text(proposal, command_line()))
    recipe(str(args.out))  # the file is what the commands read
    for copy in copies:
        say(f"the earlier recipe was copied to {copy.name}")
    say(f"written to {args.out}")
    paths = [shlex.quote(str(path)) for path in (args.out, args.data)]
    say(f"next: python -m training train {paths[0]} --data {paths[1]}")


def _ask(name: str, population: str, answers: Answers) -> Answers:
    """Ask for what only a person knows; an empty answer, or no terminal, accepts the proposal."""
    if not sys.stdin.isatty():
        say("note       there is no terminal to ask on: the proposals are accepted (as with --yes)")
        return answers
    proposals = {"name": name, "population": population}
    given = {}
    for field, question in _QUESTIONS.items():
        given[field] = getattr(answers, field)
        if not given[field]:
            proposed = proposals.get(field) or "not stated"
            given[field] = input(f"{question} [{proposed}]: ").strip()
    return Answers(**given)


def schema_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `schema`."""
    parser.add_argument("--out", type=Path, help="write it to this file instead of the terminal")


def schema(args: argparse.Namespace) -> None:
    """Write the JSON schema of recipe.toml, by which editors complete and check settings."""
    import json

    from training.recipes.schema import recipe_schema

    if args.out:
        with disk_errors(args.out), kept_if_replaced(args.out):
            write_json(args.out, recipe_schema())
        say(f"written to {args.out}")
    else:
        say(json.dumps(recipe_schema(), indent=2))
