"""`python -m preview [STACK ...]`: what stacks would make."""

import argparse
import gc
import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from .project import PreviewError, stacks
from .show import show

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Print the previews, or the comparison. Returns 0, or 1 where a stack could not be previewed; see `Verdict`."""
    options = _options(arguments)
    if options.against:
        return _compare(options, root)
    names = stacks(root) if options.all else options.stacks or ["dev"]
    preview = partial(show, root, form=options.format, full=options.full)
    if len(names) == 1:
        shown = [preview(names[0], alone=True)]
    else:
        workers = min(len(names), os.cpu_count() or 1)
        with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
            shown = list(pool.map(preview, names))
    outputs = [each.output for each in shown if each.output]
    if options.format == "json" and len(names) > 1:
        print("[" + ",\n".join(outputs) + "]")
    elif outputs:
        print("\n\n".join(outputs))
    for name, each in zip(names, shown, strict=True):
        if each.error:
            print(_named(name, each.error), file=sys.stderr)
    return 1 if any(each.error for each in shown) else 0


def _named(stack: str, error: str) -> str:
    """An error with its stack before it, unless that is what it begins with."""
    return error if error.startswith((f"Pulumi.{stack}.yaml", f"no stack `{stack}`")) else f"{stack}: {error}"


def _compare(options: argparse.Namespace, root: Path) -> int:
    """Print the comparison with a commit. Returns its verdict, 1 where it could not be made at all."""
    from .against import compare_with
    from .report import as_json, markdown, text

    try:
        comparison = compare_with(root, options.against, options.stacks)
    except PreviewError as error:
        print(error, file=sys.stderr)
        return 1
    print({"json": as_json, "markdown": markdown}.get(options.format, text)(comparison))
    return int(comparison.verdict)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m preview",
        description="Show what stacks would make, with no cloud account, no credentials and no Pulumi CLI.",
    )
    parser.add_argument("stacks", nargs="*", metavar="STACK", help="stacks to preview (default: dev)")
    parser.add_argument("--all", action="store_true", help="preview every stack, side by side")
    parser.add_argument(
        "--format", choices=["text", "json", "mermaid", "markdown"], default="text", help="default: text"
    )
    parser.add_argument(
        "--against", metavar="REF", help="compare with the same stacks at a commit (default: every stack)"
    )
    parser.add_argument("--full", action="store_true", help="in text: every resource with its inputs")
    options = parser.parse_args(arguments)
    if options.against and options.format == "mermaid":
        parser.error("a comparison has no picture; choose --format text, markdown or json")
    if not options.against and options.format == "markdown":
        parser.error("--format markdown goes with --against")
    return options


if __name__ == "__main__":
    gc.disable()  # a process that ends at once has nothing to gain from looking for garbage
    code = main(sys.argv[1:])
    gc.freeze()  # nor from looking through all that it leaves
    sys.exit(code)
