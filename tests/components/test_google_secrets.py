"""Secrets on Google Cloud."""

import json
from typing import Any

import pulumi
import pulumi_gcp as gcp
import pytest

from components.secrets.gcp import GcpGeneratedSecret, GcpSecret
from preview.plan import Plan
from preview.record import plain

from ..support import known, one, planned, providers, recorded, remedies
from .examples.google_secrets import COPIED, GENERATED, NOTED
from .examples.shared import GOOGLE_AWAY_KEY, GOOGLE_KEY

SECRET = "gcp:secretmanager/secret:Secret"
VERSION = "gcp:secretmanager/secretVersion:SecretVersion"
PASSWORD = "random:index/randomPassword:RandomPassword"


def noted(**changes: Any) -> Plan:
    return planned(lambda opts: GcpSecret("mail", {**NOTED, **changes}, opts))  # pyright: ignore[reportArgumentType]


def copied(**changes: Any) -> Plan:
    return planned(lambda opts: GcpSecret("mail", {**COPIED, **changes}, opts))  # pyright: ignore[reportArgumentType]


def generated(**changes: Any) -> Plan:
    args: Any = {**GENERATED, **changes}
    return planned(lambda opts: GcpGeneratedSecret("signing", args, opts))


def refused(name: str = "mail", **changes: Any) -> dict[str, str]:
    return remedies(lambda: GcpSecret(name, {**NOTED, **changes}))  # pyright: ignore[reportArgumentType]


def places(plan: Plan) -> dict[str, str]:
    """Where a secret stands, and with which key."""
    copies = one(plan, SECRET)["replication"]["userManaged"]["replicas"]
    return {each["location"]: each["customerManagedEncryption"]["kmsKeyName"] for each in copies}


def test_a_secret_stands_in_its_region_alone_under_the_given_key() -> None:
    assert places(noted()) == {"europe-west3": GOOGLE_KEY}
    assert "auto" not in one(noted(), SECRET)["replication"]


def test_each_copy_has_a_key_of_its_own_region() -> None:
    assert places(copied()) == {"europe-west3": GOOGLE_KEY, "europe-west4": GOOGLE_AWAY_KEY}


def test_a_secret_says_what_it_is_and_how_it_is_rotated() -> None:
    assert one(noted(), SECRET)["annotations"] == {
        "description": "Key of the mail service",
        "rotation": "by hand in the console of the mail service",
    }


def test_its_id_is_the_one_that_services_are_told() -> None:
    plan = noted()
    assert one(plan, SECRET)["secretId"] == "mail"
    component = next(each for each in plan.resources if each.type == "plinth:index:GcpSecret")
    assert component.outputs["secret"] == "projects/plinth-123456/secrets/mail"
    assert component.outputs["secretId"] == "mail"


def test_former_versions_can_be_had_back() -> None:
    assert one(noted(), SECRET)["versionDestroyTtl"] == f"{30 * 86400}s"
    assert one(noted(recovery_days=1), SECRET)["versionDestroyTtl"] == "86400s"
    assert "versionDestroyTtl" not in one(copied(), SECRET)
    assert one(noted(), VERSION)["deletionPolicy"] == "DELETE"


def test_a_secret_is_not_deleted_by_mistake() -> None:
    """Secret Manager gives a deleted one to nobody."""
    secret = noted().of_type(SECRET)[0]
    assert (secret.protect, secret.inputs["deletionProtection"]) == (True, True)
    secret = copied().of_type(SECRET)[0]
    assert (secret.protect, secret.inputs["deletionProtection"]) == (False, False)


def test_a_secret_goes_before_another_takes_its_id() -> None:
    assert noted().of_type(SECRET)[0].options["deleteBeforeReplace"] is True


def test_its_fields_are_one_json_object_that_nobody_sees() -> None:
    def program() -> None:
        GcpSecret("mail", NOTED, pulumi.ResourceOptions(providers=providers()))

    requests = recorded(program, answer=known).recorder.requests.values()
    version = next(request for request in requests if request.type == VERSION)
    assert plain(version.object)["secretData"] == "[secret]"
    sent = version.object.fields["secretData"].struct_value.fields["value"].string_value
    assert json.loads(sent) == {"user": "shop", "password": "hidden"}


@pytest.mark.parametrize("output", ["secret", "secret_id"])
def test_whoever_gets_its_reference_waits_for_its_value(output: str) -> None:
    def make(opts: pulumi.ResourceOptions) -> None:
        secret = GcpSecret("mail", NOTED, opts)
        other = pulumi.ResourceOptions(provider=gcp.Provider("other"))
        gcp.storage.Bucket("reader", location="EU", name=getattr(secret, output), opts=other)

    plan = planned(make)
    reader = plan.of_type("gcp:storage/bucket:Bucket")[0]
    assert plan.of_type(VERSION)[0].urn in plan.waits_for(reader.urn)


def test_copies_in_the_own_region_or_twice_are_refused() -> None:
    copies = [{"region": f"europe-west{n}", "key_name": GOOGLE_AWAY_KEY} for n in (3, 4, 4)]
    problems = refused(replicas=copies)
    assert "name another region" in problems["replicas[0].region"]
    assert "one copy" in problems["replicas[2].region"]
    assert set(problems) == {"replicas[0].region", "replicas[2].region"}


def test_bad_args_are_refused() -> None:
    assert "one field" in refused(fields={})["fields"]
    assert "1 to 256" in refused(rotation_note="")["rotation_note"]
    assert "1 to 256" in refused(description="d" * 257)["description"]
    assert "1 to 1000 days" in refused(recovery_days=1001)["recovery_days"]
    assert "1 to 1000 days" in refused(recovery_days=-1)["recovery_days"]
    assert "letters, digits" in refused(name="mail/key")["name"]
    assert "use 255 or fewer" in refused(name="m" * 256)["name"]
    assert "region" in refused(scope={**NOTED["scope"], "region": "eu-central-1"})["scope"]


def test_a_generated_secret_is_long_random_and_in_one_field() -> None:
    plan = generated()
    password = one(plan, PASSWORD)
    assert (password["length"], password["special"]) == (64, False)
    assert one(plan, VERSION)["secretData"] == "[secret]"
    assert "version" in one(plan, SECRET)["annotations"]["rotation"]


def test_another_version_is_another_value() -> None:
    assert one(generated(version=1), PASSWORD)["keepers"] != one(generated(version=2), PASSWORD)["keepers"]


def test_a_generated_secret_is_kept_as_it_is_told() -> None:
    secret = generated(recovery_days=7, protect=False).of_type(SECRET)[0]
    assert (secret.protect, secret.inputs["versionDestroyTtl"]) == (False, f"{7 * 86400}s")
    assert generated().of_type(SECRET)[0].protect is True


def test_a_generated_secret_is_not_short() -> None:
    args: Any = {**GENERATED, "length": 8}
    assert remedies(lambda: GcpGeneratedSecret("signing", args)) == {"length": "give 32 to 128 characters"}
