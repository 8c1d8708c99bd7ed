"""The rules, in two ways.

The engine starts this file alone and gets a policy pack: `pulumi preview --policy-pack policy`. `python -m policy list`
prints the rules, and what they stand for.
"""

import argparse
import sys
import textwrap
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

if not __package__:
    # The engine knows only this folder, by whatever name. It is the package `policy` all the same.
    _package = spec_from_file_location("policy", Path(__file__).with_name("__init__.py"))
    assert _package
    assert _package.loader
    sys.modules["policy"] = module_from_spec(_package)
    _package.loader.exec_module(sys.modules["policy"])

from policy.catalogue import RULES
from policy.rules.demands import DEV, EVERY_TIER
from policy.rules.rule import Rule


def main(arguments: list[str]) -> int:
    """Print the rules."""
    parser = argparse.ArgumentParser(prog="python -m policy", description="The rules that every stack must keep.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("list", help="print each rule: its id, level, tiers, meaning, and public ids")
    parser.parse_args(arguments)
    print("\n\n".join(map(described, RULES)))
    return 0


def described(rule: Rule) -> str:
    """A rule in a few lines."""
    tiers = "every tier" if rule.tiers == EVERY_TIER else ", ".join(rule.tiers)
    in_dev = f"in dev {rule.level_at(DEV)}, " if rule.in_dev else ""
    lines = [f"{rule.id}  [{rule.level}, {in_dev}{tiers}]", *textwrap.wrap(rule.meaning, 100)]
    if rule.answers:
        lines += textwrap.wrap(", ".join(rule.answers), 100, break_on_hyphens=False)
    return "\n    ".join(lines)


if __name__ == "__main__" and __package__:
    sys.exit(main(sys.argv[1:]))
elif __name__ == "__main__":
    from policy import pack

    pack.main()
