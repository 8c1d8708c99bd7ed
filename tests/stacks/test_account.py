"""An account's stack: its settings, and what it never does."""

import json
from typing import Any

import pytest

from components.problems import InputError
from policy.catalogue import judge
from preview.plan import Plan
from preview.project import configuration
from stacks.account import AccountSettings, load_account
from stacks.model import Tier
from stacks.systems import SYSTEMS

from ..support import ROOT, known, known_plan, one, recorded, statements

GOOD: dict[str, Any] = {
    "account": {
        "repository": "example/plinth",
        "environments": ["dev"],
        "domain": "example.com",
        "monthlyBudget": 100,
    },
    "cloud": "aws",
    "region": "eu-central-1",
    "alerts": {"critical": ["mailto:oncall@example.com"]},
    "tags": {"owner": "platform"},
    "aws": {"account": "123456789012"},
}


def settings(**changes: Any) -> AccountSettings:
    """The settings with other values; those of mappings are laid over what is there, and None takes a key away."""
    values = {**GOOD}
    for key, value in changes.items():
        values[key] = {**GOOD[key], **value} if isinstance(value, dict) and key in GOOD else value
    given = {key: value for key, value in values.items() if value is not None}
    config = {f"plinth:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in given.items()}
    return load_account("account-test", config)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"account": {"repository": "plinth"}}, "account.repository=plinth: write <owner>/<name>"),
        ({"account": {"repositoryIds": {"owner": "me"}}}, "account.repositoryIds.owner=me: write the number"),
        ({"account": {"domain": "example"}}, "account.domain=example: write a domain in small"),
        ({"account": {"domains": "x"}}, "account.domains=x: unknown key; did you mean `domain`?"),
        ({"account": {"monthlyBudget": 0}}, "account.monthlyBudget=0: give 1 or more"),
        ({"system": "skipper"}, "system=skipper: unknown key; the keys here are account, alerts, aws, cloud"),
        ({"cloud": "local", "aws": None}, "cloud=local: an account does not run there yet; choose aws, gcp"),
        ({"region": "mars"}, "region=mars: no such AWS region; choose one of af-south-1"),
        ({"recoveryRegion": "eu-central-1"}, "recoveryRegion=eu-central-1: is the region itself; name another one"),
        ({"alerts": {"critical": []}}, "alerts.critical: an alarm needs somebody who is told"),
        ({"alerts": {"critical": ["https://x.example/y"]}}, "alerts: a budget tells people by e-mail; name a mailto:"),
        ({"tags": {"tier": "dev"}}, "tags.tier=dev: every environment sets this tag itself; choose another name"),
        ({"aws": {"account": "12"}}, "aws.account=12: write the twelve digits of an"),
        ({"aws": {"endpoint": "localhost"}}, "aws.endpoint=localhost: no URL; write one like http://127.0.0.1:5000"),
    ],
)
def test_each_fault_gets_an_error_with_path_value_and_remedy(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        settings(**changes)
    assert any(str(problem).startswith(f"plinth:{message}") for problem in caught.value.problems), str(caught.value)


def test_what_another_cloud_has_may_stay_but_is_told() -> None:
    assert settings().warnings == ()
    assert settings(gcp={"project": "x"}).warnings == ("plinth:gcp: has no effect on aws, and may stay for a move",)


@pytest.fixture(scope="module")
def account() -> Plan:
    return known_plan("account-aws")


def test_every_service_has_a_repository_of_images(account: Plan) -> None:
    wanted = {
        f"{name}/{service.image}" for name, system in SYSTEMS.items() for service in system(Tier.PROD).services.values()
    }
    assert {each.inputs["name"] for each in account.of_type("aws:ecr/repository:Repository")} == wanted
    assert settings().images == sorted(wanted, key=settings().images.index)


def test_a_repositorys_numbers_are_part_of_whom_roles_trust() -> None:
    given = configuration(ROOT, "account-aws")
    content = json.loads(given.values["plinth:account"]) | {"repositoryIds": {"owner": "12", "repository": "34"}}
    values = {**given.values, "plinth:account": json.dumps(content)}
    plan = recorded(ROOT / "__main__.py", type(given)(given.project, given.stack, values, given.secrets), known).plan
    trusts = [each.inputs["assumeRolePolicy"] for each in plan.of_type("aws:iam/role:Role") if "-ci-" in each.name]
    assert trusts
    assert all("example@12/plinth@34:" in trust for trust in trusts)


def test_what_guards_a_region_stands_in_both(account: Plan) -> None:
    def regions(type_: str) -> set[str]:
        return {account.resource(each.provider).inputs["region"] for each in account.of_type(type_)}

    for type_ in (
        "aws:guardduty/detector:Detector",
        "aws:securityhub/account:Account",
        "aws:cfg/recorder:Recorder",
        "aws:accessanalyzer/analyzer:Analyzer",
        "aws:ebs/encryptionByDefault:EncryptionByDefault",
    ):
        assert regions(type_) == {"eu-central-1", "eu-west-1"}, type_
    assert regions("aws:route53/zone:Zone") == {"us-east-1"}
    assert one(account, "aws:cloudtrail/trail:Trail")["isMultiRegionTrail"] is True
    assert len(account.of_type("aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock")) == 1


def test_without_a_second_region_nothing_stands_there() -> None:
    given = configuration(ROOT, "account-aws")
    values = {key: value for key, value in given.values.items() if key != "plinth:recoveryRegion"}
    alone = recorded(ROOT / "__main__.py", type(given)(given.project, given.stack, values, given.secrets), known).plan
    regions = {each.inputs["region"] for each in alone.of_type("pulumi:providers:aws")}
    assert regions == {"eu-central-1", "us-east-1"}


def test_no_deployment_reaches_the_account_itself(account: Plan) -> None:
    """CI may not change what it is bound by, nor what watches it."""
    denied = {
        action
        for each in account.of_type("aws:iam/rolePolicy:RolePolicy", "aws:iam/policy:Policy")
        for statement in statements(each.inputs["policy"]).values()
        if statement["Effect"] == "Deny"
        for action in statement["Action"]
    }
    assert any(action.startswith("cloudtrail:") for action in denied)
    assert any(action.startswith("guardduty:") for action in denied)


def test_an_environment_needs_nothing_of_the_accounts_stack() -> None:
    """Their URNs share nothing, so destroying one touches nothing of the other."""
    urns = {
        stack: set((ROOT / "tests" / "stacks" / "urns" / f"{stack}.txt").read_text().splitlines())
        for stack in ("dev", "account-aws")
    }
    names = {stack: {urn.rpartition("::")[2] for urn in found} for stack, found in urns.items()}
    assert not names["dev"] & names["account-aws"]


def test_no_policy_finds_fault(account: Plan) -> None:
    assert [(each.rule, each.urn) for each in judge(account)] == []
