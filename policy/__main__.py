"""`python -m policy list`: the rules, and what they stand for."""

import argparse
import sys
import textwrap

from .catalogue import RULES
from .rules.demands import EVERY_TIER
from .rules.rule import Rule


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
    lines = [f"{rule.id}  [{rule.level.value}, {tiers}]", *textwrap.wrap(rule.meaning, 100)]
    if rule.answers:
        lines += textwrap.wrap(", ".join(rule.answers), 100)
    return "\n    ".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
