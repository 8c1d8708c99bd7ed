"""Each rule of the catalogue: it passes the sound stack, and notices what breaks it."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from policy.catalogue import RULES, judge
from policy.rules.demands import EVERY_TIER
from policy.rules.rule import Rule, Stack
from preview.plan import SECRET, UNKNOWN, Plan, Resource
from preview.project import configuration, stacks

from ..mutants import plans
from ..support import PROGRAM, ROOT, known, known_plan, previewed_plan, recorded
from .breaking import Break
from .breaks import BREAKS
from .planted import TAKES_LOGS, TLS_ONLY, sound
from .sketch import HOME, Sketch, document, of_account

BROKEN = [
    pytest.param(rule, break_, id=f"{rule.id}-{i}")
    for rule in RULES
    for i, break_ in enumerate(BREAKS.get(rule.id, []))
]


def broken_by(break_: Break, tier: str = "prod") -> list[str]:
    """The rules that notice."""
    sketch = sound(tier)
    break_(sketch)
    return [finding.rule for finding in judge(sketch.plan())]


def test_ids_are_unique() -> None:
    ids = [rule.id for rule in RULES]
    assert len(set(ids)) == len(ids)


def test_every_rule_is_broken_in_some_way() -> None:
    assert set(BREAKS) == {rule.id for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_says_what_it_demands(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", rule.id)
    assert re.fullmatch(r"[A-Z].+\.", rule.meaning)
    assert rule.types
    assert set(rule.tiers) <= set(EVERY_TIER)
    for answer in rule.answers:
        assert re.fullmatch(r"CKV2?_(AWS|GCP|K8S)_\d+|(AWS|GCP|KSV)-\d{4}|CIS-(AWS|GCP|K8S)-\d+(\.\d+)+", answer)
    assert len(set(rule.answers)) == len(rule.answers)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_sound_stack_has_something_for_it_and_passes(rule: Rule) -> None:
    stack = Stack(sound().plan().resources)
    assert any(rule.applies(each, stack) for each in stack.of_types(rule.types))
    assert list(rule.findings(stack)) == []


@pytest.mark.parametrize(("rule", "break_"), BROKEN)
def test_what_breaks_it_is_found(rule: Rule, break_: Break) -> None:
    sketch = sound()
    break_(sketch)
    plan = sketch.plan()
    findings = list(rule.findings(Stack(plan.resources)))
    assert findings
    for finding in findings:
        assert finding.message.startswith(f"{rule.meaning} Here ")
        assert finding.answers == list(rule.answers)
        assert plan.has(finding.urn)


@pytest.mark.parametrize("tier", EVERY_TIER)
def test_each_tier_has_a_sound_stack(tier: str) -> None:
    assert judge(sound(tier).plan()) == []


def of_tier(name: str, tier: str) -> Plan:
    """A stack's plan, as if it were of another tier."""
    settings = configuration(ROOT, name)
    return recorded(PROGRAM, replace(settings, values={**settings.values, "plinth:tier": tier}), known).plan


@pytest.mark.parametrize("plan_of", [previewed_plan, known_plan])
@pytest.mark.parametrize("stack", stacks(ROOT))
def test_no_stack_breaks_a_rule(stack: str, plan_of: Callable[[str], Plan]) -> None:
    assert judge(plan_of(stack)) == []


def test_an_existing_cluster_breaks_no_rule() -> None:
    plan = plans()["dev"]
    assert plan.of_type("kubernetes:core/v1:Namespace")
    assert judge(plan) == []


def test_prod_as_staging_breaks_no_rule() -> None:
    assert judge(of_tier("prod", "staging")) == []


def test_what_only_dev_may_leave_out_is_found_elsewhere() -> None:
    """A dev stack whose provider says that it is something else."""
    provider = sound("staging").plan().of_type("pulumi:providers:aws")[0]

    def promoted(sketch: Sketch) -> None:
        sketch.change(HOME, defaultTags=provider.inputs["defaultTags"])

    assert set(broken_by(promoted, "dev")) == {
        "stateful-protected",
        "kms-deletion-window",
        "rds-standby",
        "rds-backups",
        "rds-last-snapshot",
        "rds-deletion-protection",
        "eks-deletion-protection",
        "s3-keeps-objects",
        "secret-recovery",
    }


def test_a_stack_without_a_tier_is_judged_as_prod() -> None:
    def untagged(sketch: Sketch) -> None:
        sketch.change(HOME, defaultTags=None)

    assert set(broken_by(untagged, "staging")) > {"provider-cost-tags", "log-group-year"}


def test_resources_that_no_rule_is_about_pass() -> None:
    assert judge(Plan("test", "plinth", [], {}, [])) == []


def test_unknown_values_count_as_present_and_right() -> None:
    sketch = sound()
    for resource in sketch.plan().of_type(
        "aws:rds/instance:Instance", "aws:kms/key:Key", "aws:s3/bucketPolicy:BucketPolicy"
    ):
        sketch.change(
            resource.name, **{key: UNKNOWN for key in resource.inputs if key not in resource.property_dependencies}
        )
    assert judge(sketch.plan()) == []


def all_leaves(content: Any, leaf: Any) -> Any:
    if isinstance(content, dict):
        return {key: all_leaves(value, leaf) for key, value in content.items()}
    return [all_leaves(value, leaf) for value in content] if isinstance(content, list) else leaf


@pytest.mark.parametrize("leaf", [UNKNOWN, SECRET, None, 0, "{", [UNKNOWN], {}], ids=str)
def test_no_value_is_too_strange_to_be_judged(leaf: Any) -> None:
    resources = [replace(each, inputs=all_leaves(each.inputs, leaf)) for each in sound().plan().resources]
    judge(Plan("test", "plinth", resources, {}, []))
    strange = [replace(each, inputs=dict.fromkeys(each.inputs, leaf)) for each in sound().plan().resources]
    judge(Plan("test", "plinth", strange, {}, []))


@pytest.mark.parametrize("statement", [[None], {"Effect": "Allow", "Action": [1], "Resource": {}, "Condition": []}])
def test_no_document_is_too_strange_to_be_judged(statement: Any) -> None:
    strange = json.dumps({"Statement": statement})
    for name, property_ in (("role", "assumeRolePolicy"), ("role-policy", "policy"), ("bucket-policy", "policy")):
        broken_by(lambda sketch, name=name, property_=property_: sketch.change(name, **{property_: strange}))


@pytest.mark.parametrize("name", ["bucket-policy", "key", "role-policy"])
def test_a_policy_that_is_unknown_as_a_whole_is_a_policy(name: str) -> None:
    assert broken_by(lambda sketch: sketch.change(name, policy=UNKNOWN)) == []


def test_a_policy_may_name_one_action_principal_or_statement_without_a_list() -> None:
    alone = '{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}'
    assert broken_by(lambda sketch: sketch.change("role-policy", policy=alone)) == [
        "iam-named-actions",
        "iam-named-resources",
    ]


def test_a_log_target_is_known_by_its_policy_where_nothing_logs_to_it() -> None:
    def idle(sketch: Sketch) -> None:
        sketch.drop("bucket-logging")
        sketch.change("bucket-policy", policy=document(TLS_ONLY, TAKES_LOGS))
        sketch.change("bucket-encryption", rules=[{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}])

    assert broken_by(idle) == []


def test_subnets_from_elsewhere_show_no_zone() -> None:
    assert broken_by(lambda sketch: sketch.change("subnets", subnetIds=["subnet-1"])) == []


def test_an_asymmetric_key_is_never_rotated() -> None:
    asymmetric = {"customerMasterKeySpec": "RSA_2048", "enableKeyRotation": False}
    assert broken_by(lambda sketch: sketch.change("key", **asymmetric)) == []


def test_an_emulator_takes_any_credentials() -> None:
    assert broken_by(lambda sketch: sketch.change(HOME, accessKey="it", secretKey="it", endpoints="[{}]")) == []


def test_a_federated_role_is_taken_on_a_condition() -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": "arn:aws:iam::1:oidc-provider/x"},
        "Condition": of_account(),
    }
    assert broken_by(lambda sketch: sketch.change("role", assumeRolePolicy=document(statement))) == []


def test_no_finding_shows_a_value_that_may_be_a_secret() -> None:
    def leaking(sketch: Sketch) -> None:
        sketch.change("database", password="hunter2")
        sketch.change(HOME, secretKey="hunter2")

    sketch = sound()
    leaking(sketch)
    findings = judge(sketch.plan())
    assert [finding.rule for finding in findings] == ["provider-no-credentials", "rds-managed-password"]
    assert "hunter2" not in str(findings)


def test_list_prints_every_rule() -> None:
    run = subprocess.run([sys.executable, "-m", "policy", "list"], cwd=ROOT, capture_output=True, text=True, check=True)
    shown = " ".join(run.stdout.split())
    for rule in RULES:
        assert f"{rule.id} [{rule.level}, " in shown
        assert " ".join([rule.meaning, ", ".join(rule.answers)]).strip() in shown


def test_the_rules_need_nothing_but_their_own_folder() -> None:
    """The engine runs a policy pack with that folder alone on its path."""
    program = "import sys, rules; print(len(rules.RULES), *{'preview', 'pulumi'} & set(sys.modules))"
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT / "policy", capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == [str(len(RULES))]


def test_a_rule_about_a_package_is_about_all_its_types() -> None:
    resource = sound().plan().of_type("aws:ec2/route:Route")[0]
    orphan: Resource = replace(resource, provider="")
    assert [finding.rule for finding in judge(Plan("test", "plinth", [orphan], {}, []))] == ["explicit-provider"]
