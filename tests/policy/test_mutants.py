"""The mutants of `make mutants`, and that a rule which does not notice is seen."""

import re
from dataclasses import replace

import pytest

from policy.catalogue import RULES
from policy.rules.demands import judged
from policy.rules.rule import Rule

from .. import mutants
from .planted import sound


def test_each_rule_notices_each_of_its_mutants() -> None:
    result = mutants.run()
    assert [mutants.shown(mutant) for mutant in result.survivors] == []
    assert result.untried == []
    assert {mutant.rule.id for mutant in result.killed} == {rule.id for rule in RULES}
    assert {mutant.source for mutant in result.killed} == {*mutants.plans(), "sound"}


def rule(name: str) -> Rule:
    return next(rule for rule in RULES if rule.id == name)


def blind(name: str) -> Rule:
    """The rule, but it looks at nothing."""
    known = rule(name)
    demands = {path: replace(demand, holds=lambda value, tier: True) for path, demand in known.demands.items()}
    links = tuple(replace(link, judged=True) for link in known.links)
    return replace(known, demands=demands, links=links, options={}, check=lambda resource, stack: ())


@pytest.mark.parametrize("name", ["rds-encrypted", "s3-tls-only", "iam-trust", "database-subnet-no-internet"])
def test_a_blind_rule_notices_no_mutant(name: str) -> None:
    made = list(mutants.mutants_of(blind(name), "sound", sound().plan()))
    assert made
    assert not any(map(mutants.is_noticed, made))


def test_a_mutant_has_one_thing_less() -> None:
    made = list(mutants.mutants_of(rule("s3-versioning"), "sound", sound().plan()))
    of_bucket = [mutants.shown(mutant).partition(": ")[2] for mutant in made if mutant.urn.endswith("::bucket")]
    assert of_bucket == [
        "versioning bucket-versioning is left out",
        "versioning: versioningConfiguration.status is left out",
        "versioning: versioningConfiguration.status is 'Suspended'",
        "versioning: versioningConfiguration.status is 'Disabled'",
    ]


def test_a_stack_that_breaks_a_rule_makes_no_mutants() -> None:
    sketch = sound()
    sketch.drop("bucket-versioning")
    with pytest.raises(AssertionError, match="breaks s3-versioning in sound already"):
        list(mutants.mutants_of(rule("s3-versioning"), "sound", sketch.plan()))


def test_survivors_and_untried_demands_are_shown_and_fail(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    unmet = replace(rule("kms-rotation"), demands={**rule("kms-rotation").demands, "never.there": judged()})
    monkeypatch.setattr(mutants, "RULES", (blind("kms-deletion-window"), unmet))
    assert mutants.main([]) == 1
    printed = capsys.readouterr().out
    assert "survived: kms-deletion-window, dev, skipper-dev-data-key: deletionWindowInDays is left out" in printed
    assert "untried: kms-rotation: never.there" in printed
    made, killed = map(int, re.findall(r"2 rules, (\d+) mutants, (\d+) killed in ", printed)[0])
    assert 0 < killed < made


def test_all_killed_is_success(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(mutants, "RULES", (rule("kms-rotation"), rule("parameter-secure")))
    assert mutants.main(["--list"]) == 0
    printed = capsys.readouterr().out
    assert "kms-rotation, prod, skipper-prod-data-key: enableKeyRotation is False" in printed
    assert "Nothing in any stack for parameter-secure: tried on the tests' sound stack." in printed
