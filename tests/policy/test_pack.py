"""The policy pack finds in the engine's resources what the rules find in a recorded plan's."""

import subprocess
import sys
from datetime import date
from typing import Any

import pytest
from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyCustomTimeouts,
    PolicyProviderResource,
    PolicyResource,
    PolicyResourceOptions,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy

from policy.catalogue import RULES, judge
from policy.exceptions import Allowance
from policy.pack import EXCEPTIONS, Pack, plain
from policy.rules.demands import DEV, EVERY_TIER, PROD, STAGING
from policy.rules.rule import Level, Rule, Stack
from preview.plan import UNKNOWN, Plan, Resource

from ..support import ROOT
from .breaks import BREAKS
from .planted import sound

TODAY = date(2027, 6, 30)
Found = set[tuple[str, str, str]]


def in_engine(value: Any) -> Any:
    """A value as the engine hands it over."""
    if isinstance(value, dict):
        return {key: in_engine(each) for key, each in value.items()}
    if isinstance(value, list):
        return [in_engine(each) for each in value]
    if value == UNKNOWN:
        return UNKNOWN_STRING_VALUE
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def options(resource: Resource) -> PolicyResourceOptions:
    return PolicyResourceOptions(resource.protect, [], None, [], PolicyCustomTimeouts(0, 0, 0), [], None)


class Engine:
    """Shows a plan to the pack as the engine does."""

    def __init__(self, *allowances: Allowance, rules: tuple[Rule, ...] = RULES):
        self.policies = Pack(rules, allowances, TODAY).policies()
        self.found: Found = set()
        self.messages: list[str] = []

    def run(self, plan: Plan, shown: set[str] | None = None) -> Found:
        """What the policies report: name without its tier, level, URN."""
        providers = {each.provider: self._provider(plan, each.provider) for each in plan.resources if each.provider}
        for resource in plan.resources:
            if shown is None or resource.name in shown:
                args = ResourceValidationArgs(
                    resource.type,
                    unknown_checking_proxy(in_engine(dict(resource.inputs))),
                    resource.urn,
                    resource.name,
                    options(resource),
                    providers.get(resource.provider),
                )
                for policy in self.policies:
                    if isinstance(policy, ResourceValidationPolicy):
                        policy.validate(args, self._report(policy, resource.urn))
        # Outputs tell nothing of what was asked for.
        stack = {
            each.urn: PolicyResource(
                each.type, {}, each.urn, each.name, options(each), providers.get(each.provider), None, [], {}
            )
            for each in plan.resources
        }
        for resource in plan.resources:
            mine = stack[resource.urn]
            mine.dependencies = [stack[urn] for urn in resource.dependencies if urn in stack]
            mine.property_dependencies = {
                key: [stack[urn] for urn in urns if urn in stack]
                for key, urns in resource.property_dependencies.items()
            }
        for policy in self.policies:
            if isinstance(policy, StackValidationPolicy):
                policy.validate(StackValidationArgs(list(stack.values())), self._report(policy, ""))
        return self.found

    @staticmethod
    def _provider(plan: Plan, urn: str) -> PolicyProviderResource:
        inputs = dict(plan.resource(urn).inputs) if plan.has(urn) else {}
        return PolicyProviderResource("", unknown_checking_proxy(in_engine(inputs)), urn, urn.rpartition("::")[2])

    def _report(self, policy: Policy, known: str) -> Any:
        def report(message: str, urn: str | None = None) -> None:
            assert policy.enforcement_level
            self.messages.append(message)
            name = policy.name.removesuffix("-in-dev")
            self.found.add((name, policy.enforcement_level.value, urn or known))

        return report


def judged(plan: Plan) -> Found:
    return {(finding.rule, finding.level.value, finding.urn) for finding in judge(plan, [], TODAY)}


@pytest.mark.parametrize("tier", EVERY_TIER)
def test_the_pack_passes_a_sound_stack(tier: str) -> None:
    assert Engine().run(sound(tier).plan()) == set()


@pytest.mark.parametrize("tier", [DEV, PROD])
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_pack_finds_what_the_preview_finds(rule: Rule, tier: str) -> None:
    sketch = sound(tier)
    BREAKS[rule.id][0](sketch)
    plan = sketch.plan()
    expected = judged(plan)
    broken = {name for name, _, _ in expected}
    # What all rules find in a sound stack is nothing, as said above: here those that find something are enough, with
    # one to which the engine shows resources before they are made.
    local = next(each for each in RULES if each.is_local)
    rules = tuple(each for each in RULES if each in (rule, local) or each.id in broken)
    assert Engine(rules=rules).run(plan) == expected
    assert tier == DEV or rule.id in broken


def test_each_rule_has_a_policy_of_its_name_and_level() -> None:
    policies = {policy.name: policy for policy in Engine().policies}
    assert policies.pop(EXCEPTIONS).enforcement_level is EnforcementLevel.ADVISORY
    for rule in RULES:
        policy = policies.pop(rule.id)
        assert policy.description == rule.meaning
        assert policy.enforcement_level == EnforcementLevel(rule.level.value)
        if rule.in_dev:
            assert policies.pop(f"{rule.id}-in-dev").enforcement_level == EnforcementLevel(rule.in_dev.value)
    assert policies == {}


def test_a_level_may_be_another_one_in_dev() -> None:
    assert {rule.in_dev for rule in RULES} == {None, *Level}
    for rule in RULES:
        assert rule.in_dev is None or (rule.in_dev is not rule.level and DEV in rule.tiers)
    levels = {}
    for tier in EVERY_TIER:
        sketch = sound(tier)
        sketch.change("database", copyTagsToSnapshot=False, instanceClass="db.r7g.16xlarge")
        levels[tier] = {finding.rule: finding.level for finding in judge(sketch.plan(), [], TODAY)}
    strict = {"rds-tagged-snapshots": Level.MANDATORY, "rds-size": Level.ADVISORY}
    assert levels == {
        DEV: {"rds-tagged-snapshots": Level.ADVISORY, "rds-size": Level.MANDATORY},
        STAGING: strict,
        PROD: strict,
    }


def test_a_name_that_the_provider_made_up_is_none() -> None:
    sketch = sound()
    sketch.change("parameters", name="parameters-0a1b2c3")
    assert Engine().run(sketch.plan()) == set()
    sketch.change("parameters", name="parameters-of-ours")
    assert {name for name, _, _ in Engine().run(sketch.plan())} == {"rds-parameter-group-named-apart"}


def test_the_message_adds_to_the_meaning_that_the_engine_shows() -> None:
    sketch = sound()
    sketch.change("database", storageEncrypted=False)
    engine = Engine()
    engine.run(sketch.plan())
    assert engine.messages == [
        "Here `storageEncrypted` must be true and is false. [CKV_AWS_16, AWS-0080, CIS-AWS-2.3.1]"
    ]


def test_what_an_exception_lets_stand_is_shown_and_stops_nothing() -> None:
    sketch = sound()
    sketch.change("database", storageEncrypted=False)
    sketch.drop("bucket-versioning")
    engine = Engine(
        Allowance("rds-encrypted", "test", "*::database", "It is moved", TODAY),
        Allowance("s3-versioning", "test", "*::bucket", "It is new", date(2027, 6, 29)),
    )
    assert engine.run(sketch.plan()) == {
        (EXCEPTIONS, "advisory", sketch.urn("database")),
        ("s3-versioning", "mandatory", sketch.urn("bucket")),
    }
    assert "rds-encrypted: until 2027-06-30: It is moved" in engine.messages
    assert any("The exception ran out on 2027-06-29" in message for message in engine.messages)


def test_what_an_update_of_some_targets_leaves_alone_is_not_judged() -> None:
    sketch = sound()
    sketch.drop("bucket-versioning")
    sketch.drop("logs-versioning")
    found = Engine().run(sketch.plan(), shown={"logs"})
    assert {urn for _, _, urn in found} == {sketch.urn("logs")}


def test_values_of_the_engine_are_as_recorded() -> None:
    content = {"a": [1, 2.5, UNKNOWN, {"b": UNKNOWN, "c": "text"}], "d": True, "e": None}
    assert plain(unknown_checking_proxy(in_engine(content))) == content


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.is_local], ids=lambda rule: rule.id)
def test_a_local_rule_finds_in_a_resource_with_its_provider_what_it_finds_in_the_stack(rule: Rule) -> None:
    """Else the engine, which shows it no more, would find less."""
    for break_ in BREAKS[rule.id]:
        sketch = sound()
        break_(sketch)
        plan = sketch.plan()
        alone = []
        for resource in plan.resources:
            provider = [plan.resource(resource.provider)] if plan.has(resource.provider) else []
            findings = rule.findings(Stack([resource, *provider]))
            alone += [finding for finding in findings if finding.urn == resource.urn]
        whole = list(rule.findings(Stack(plan.resources)))
        assert whole
        assert sorted(map(str, alone)) == sorted(map(str, whole))


@pytest.mark.parametrize("name", ["policy", "renamed"])
def test_the_engine_may_start_the_folder_alone_and_under_any_name(name: str, tmp_path: Any) -> None:
    (tmp_path / name).symlink_to(ROOT / "policy")
    start = (
        "import runpy, sys, pulumi_policy\n"
        "pulumi_policy.PolicyPack = lambda name, policies: print(name, len(policies))\n"
        f"sys.path[0] = {str(tmp_path / name)!r}\n"
        f"runpy.run_path({str(tmp_path / name / '__main__.py')!r}, run_name='__main__')\n"
    )
    run = subprocess.run([sys.executable, "-c", start], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["plinth", str(len(Engine().policies))]
