"""`python -m preview [STACK ...]`: what stacks would make."""

import argparse
import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

from . import render
from .project import PreviewError, configuration, stacks

ROOT = Path(__file__).resolve().parent.parent


class Shown(NamedTuple):
    """What a stack's preview prints, and whether it succeeded."""

    output: str
    error: str


def main(arguments: list[str]) -> int:
    """Print the previews. Returns 0, or 1 where a stack could not be previewed."""
    options = _options(arguments)
    names = stacks(ROOT) if options.all else options.stacks or ["dev"]
    if len(names) == 1:
        shown = [show(names[0], options.format, options.full)]
    else:
        workers = min(len(names), os.cpu_count() or 1)
        with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
            shown = list(pool.map(show, names, [options.format] * len(names), [options.full] * len(names)))
    outputs = [each.output for each in shown if each.output]
    if options.format == "json" and len(names) > 1:
        print("[" + ",\n".join(outputs) + "]")
    elif outputs:
        print("\n\n".join(outputs))
    for name, each in zip(names, shown, strict=True):
        if each.error:
            print(f"{name}: {each.error}", file=sys.stderr)
    return 1 if any(each.error for each in shown) else 0


def show(stack: str, form: str, full: bool) -> Shown:
    """Preview one stack in this process."""
    try:
        settings = configuration(ROOT, stack)
        from .judged import (
            judged_plan,
        )  # the SDK costs half a second: first see whether there is such a stack

        plan = judged_plan(settings, ROOT / "__main__.py")
    except PreviewError as error:
        return Shown("", str(error))
    if form == "json":
        return Shown(render.as_json(plan), "")
    if form == "mermaid":
        return Shown(render.mermaid(plan), "")
    names = ("system", "cloud", "tier", "region", "recoveryRegion")
    values = (settings.values.get(f"{settings.project}:{name}") for name in names)
    return Shown(render.text(plan, ", ".join(value for value in values if value), full), "")


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m preview",
        description="Show what stacks would make, with no cloud account, no credentials and no Pulumi CLI.",
    )
    parser.add_argument("stacks", nargs="*", metavar="STACK", help="stacks to preview (default: dev)")
    parser.add_argument("--all", action="store_true", help="preview every stack, side by side")
    parser.add_argument("--format", choices=["text", "json", "mermaid"], default="text", help="default: text")
    parser.add_argument("--full", action="store_true", help="in text: every resource with its inputs")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
