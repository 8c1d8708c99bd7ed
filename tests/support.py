"""What tests share: recording a program, and a cloud that answers."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from preview.plan import Plan
from preview.project import Configuration
from preview.record import Answer, Recording, record

ROOT = Path(__file__).resolve().parent.parent
ACCOUNT = "123456789012"
REGION = "eu-central-1"
SCOPE = {"account": ACCOUNT, "region": REGION}
NO_DEFAULTS = Configuration("plinth", "test", {"pulumi:disable-default-providers": '["*"]'}, frozenset())
SENTINEL = "sentinel-never-to-be-seen"
"""What a generated password is in an update: it must never stand anywhere outside a secret."""


def known(type_: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """What a cloud would return, so that every value is known."""
    answers: dict[str, Any] = {
        "id": f"{name}-id",
        "arn": f"arn:aws:mock:{REGION}:{ACCOUNT}:{name}",
        "name": inputs.get("name", f"{name}-1234567"),
    }
    match type_:
        case "random:index/randomPassword:RandomPassword":
            return {"id": "none", "result": SENTINEL}
        case "random:index/randomId:RandomId":
            return {"id": "c0ffee", "hex": "c0ffee00"}
        case "aws:s3/bucket:Bucket":
            bucket = f"{name}-1234567"
            answers |= {"id": bucket, "bucket": bucket, "arn": f"arn:aws:s3:::{bucket}"}
        case "aws:rds/instance:Instance":
            answers |= {
                "address": f"{name}.rds.example",
                "port": 5432,
                "resourceId": f"db-{name}",
                "masterUserSecrets": [{"secretArn": f"arn:aws:mock:{REGION}:{ACCOUNT}:secret:{name}"}],
            }
        case "aws:rds/proxy:Proxy":
            answers |= {"endpoint": f"{name}.proxy.example"}
        case "aws:ec2/eip:Eip":
            answers |= {"publicIp": "192.0.2.10"}
        case "aws:kms/key:Key":
            answers |= {"keyId": f"{name}-id"}
        case _ if type_.startswith("pulumi:providers:"):
            return {"id": f"{name}-id"}
    return answers


def recorded(
    program: Path | Callable[[], object], configuration: Configuration = NO_DEFAULTS, answer: Answer | None = None
) -> Recording:
    """Run a program and return what it registered: as a preview, or with an `answer` as an update."""
    return record(configuration, program if isinstance(program, Path) else lambda: _done(program), answer)


def planned(make: Callable[[pulumi.ResourceOptions], object], answer: Answer | None = known) -> Plan:
    """What a component registers that is made with explicit providers."""

    def program() -> None:
        providers: list[pulumi.ProviderResource] = [
            aws.Provider("cloud", region=REGION, allowed_account_ids=[ACCOUNT]),
            random.Provider("chance"),
        ]
        make(pulumi.ResourceOptions(providers=providers))

    return recorded(program, answer=answer).plan


def _done(program: Callable[[], object]) -> None:
    program()


def one(plan: Plan, type_: str, name: str | None = None) -> Any:
    """The inputs of the one resource of a type, or of that name among them."""
    found = [each for each in plan.resources if each.type == type_ and name in (None, each.name)]
    assert len(found) == 1, f"{len(found)} of {type_} {name or ''}: {[each.name for each in found]}"
    return found[0].inputs


def statements(policy: str) -> dict[str, dict[str, Any]]:
    """The statements of a policy document, by id."""
    return {statement["Sid"]: statement for statement in json.loads(policy)["Statement"]}
