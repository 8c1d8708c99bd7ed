"""The same environment again, in another region, told which one is primary."""

import dataclasses
import json
import re
from functools import cache
from typing import Any

import yaml

from policy.catalogue import judge
from preview.plan import Plan
from preview.project import Configuration, configuration

from ..support import ROOT, known, known_plan, one, recorded, statements

INSTANCE = "aws:rds/instance:Instance"
PRIMARY = "arn:aws:rds:eu-central-1:123456789012:db:skipper-prod-database"
COPIED_SECRET = "secret:skipper-prod-database-credentials-"


def example() -> dict[str, Any]:
    """The stack file that the system's page shows."""
    text = (ROOT / "docs" / "systems" / "skipper.md").read_text()
    found = re.search(r"<!-- example: standby -->\n```yaml\n(.*?)```", text, re.DOTALL)
    assert found
    return yaml.safe_load(found[1])["config"]


@cache
def standby(**changes: str | None) -> Plan:
    """The plan of the example, with other values; None takes one away."""
    values = {**configuration(ROOT, "prod").values, "plinth:recoveryRegion": ""}
    values |= {key: each if isinstance(each, str) else json.dumps(each) for key, each in example().items()}
    values |= {f"plinth:{key}": value or "" for key, value in changes.items()}
    return recorded(ROOT / "__main__.py", Configuration("plinth", "prod-west", values, frozenset()), known).plan


def test_its_database_follows_the_primarys() -> None:
    database = one(standby(), INSTANCE, "skipper-prod-west-database")
    assert database["replicateSourceDb"] == PRIMARY
    assert "username" not in database
    assert database["multiAz"] is True
    assert not standby().of_type("plinth:index:RdsBackupCopy")


def test_its_services_sign_in_with_the_primarys_secret_and_read_its_stores() -> None:
    policies = {each.name: each.inputs["policy"] for each in standby().of_type("aws:iam/rolePolicy:RolePolicy")}
    audit = json.loads(policies["skipper-prod-west-audit"])["Statement"]
    told = {statement["Sid"]: statement for statement in audit}
    brought = statements(policies["skipper-prod-west-external-secrets"])
    assert any(COPIED_SECRET in arn for arn in brought["Secrets"]["Resource"])
    assert brought["FurtherKeys"]["Resource"] == told["FurtherKeys"]["Resource"]
    assert told["ReadEventsOfPrimary"]["Resource"] == ["arn:aws:s3:::skipper-prod-events-copy-1234567/*"]
    assert told["FurtherKeys"]["Resource"] == [example()["plinth:aws"]["primary"]["key"]]
    assert COPIED_SECRET not in policies["skipper-prod-west-audit"], "it is given the secret"


def test_everything_else_is_there_again() -> None:
    """With names of its own: cluster, broker, cache, stores, backups and alarms."""
    prod = known_plan("prod")

    def parts(plan: Plan, environment: str) -> set[tuple[str, str]]:
        return {
            (each.type, each.name.removeprefix(environment))
            for each in plan.resources
            if each.type.startswith("plinth:index:") and plan.resource(each.parent).type == "pulumi:pulumi:Stack"
        }

    assert parts(prod, "skipper-prod") - parts(standby(), "skipper-prod-west") == {
        ("plinth:index:RdsBackupCopy", "-database-copy"),
        # The hosts' names lead to the primary.
        ("plinth:index:ExternalDns", "-dns"),
        # What changes a database changes the primary's.
        ("plinth:index:DatabaseRole", "-database-role"),
        ("plinth:index:DatabaseUpkeep", "-database-upkeep"),
        ("plinth:index:Migrations", "-portal-migrations"),
    }


def test_no_policy_finds_fault() -> None:
    assert [(each.rule, each.urn) for each in judge(standby())] == []


def test_one_setting_lets_it_take_over() -> None:
    """Its database takes writes then, and keeps the secret that services sign in with; and its hosts lead to it."""
    before, after = standby(), standby(primaryRegion=None)
    database = one(after, INSTANCE, "skipper-prod-west-database")
    assert "replicateSourceDb" not in database
    made = [{each.urn: dataclasses.replace(each, outputs={}) for each in plan.resources} for plan in (before, after)]
    differ = {
        urn.rpartition("::")[2] for urn in made[0].keys() | made[1].keys() if made[0].get(urn) != made[1].get(urn)
    }
    # With the writes come the hosts: their records, their certificates, and what waits for these.
    hosts = r"-dns.*|-certificates-acme|-plain|-challenges|-redirect-.*|-skipper-west\..*|-default-deny"
    about = re.compile(rf"skipper-prod-west(-database.*|-alarms.*|-portal.*|{hosts})?|plinth-prod-west")
    assert "skipper-prod-west-database" in differ
    assert [name for name in differ if not about.fullmatch(name)] == []
    assert json.loads(json.dumps(after.outputs["databaseSecret"])) == before.outputs["databaseSecret"]


def test_the_primary_lists_what_a_standby_takes() -> None:
    given = known_plan("prod").outputs["standby"]
    assert set(given) == set(example()["plinth:aws"]["primary"])
    assert set(given["stores"]) == set(example()["plinth:aws"]["primary"]["stores"])
