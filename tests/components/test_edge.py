"""DNS zones on Route 53."""

from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.edge.route53 import Route53Zone
from preview.plan import Plan

from ..support import SCOPE, one, planned, remedies, statements
from .examples.registry import ZONE

PUBLIC_ZONE = "aws:route53/zone:Zone"
RECORD = "aws:route53/record:Record"
KEY = "aws:kms/key:Key"
SIGNING_KEY = "aws:route53/keySigningKey:KeySigningKey"
SIGNED = "aws:route53/hostedZoneDnsSec:HostedZoneDnsSec"
QUERY_LOG = "aws:route53/queryLog:QueryLog"
LOG_POLICY = "aws:cloudwatch/logResourcePolicy:LogResourcePolicy"
ZONE_ARN = "arn:aws:route53:::hostedzone/ZZONE"


def zone(**changes: Any) -> Plan:
    return planned(lambda opts: Route53Zone("zone", {**ZONE, **changes}, opts))  # pyright: ignore[reportArgumentType]


def refused(**changes: Any) -> dict[str, str]:
    return remedies(lambda: Route53Zone("zone", {**ZONE, **changes}))  # pyright: ignore[reportArgumentType]


def waits(plan: Plan, type_: str) -> set[str]:
    """The types of what the one resource of a type waits for."""
    return {plan.resource(urn).type for urn in plan.waits_for(plan.of_type(type_)[0].urn)}


def outputs(plan: Plan) -> dict[str, Any]:
    return next(each.outputs for each in plan.resources if each.type == "plinth:index:Route53Zone")


def test_it_is_a_public_zone_of_the_domain() -> None:
    inputs = one(zone(), PUBLIC_ZONE)
    assert inputs["name"] == "shop.example"
    assert inputs["forceDestroy"] is False
    assert "vpcs" not in inputs


def test_the_zone_is_signed_with_a_key_that_only_signs() -> None:
    plan = zone()
    assert (
        one(plan, KEY).items()
        >= {
            "customerMasterKeySpec": "ECC_NIST_P256",
            "keyUsage": "SIGN_VERIFY",
            "enableKeyRotation": False,
            "deletionWindowInDays": 30,
        }.items()
    )
    assert one(plan, SIGNING_KEY) == {
        "name": "signing",
        "hostedZoneId": "ZZONE",
        "keyManagementServiceArn": "arn:aws:mock:region:123456789012:zone-dnssec",
        "status": "ACTIVE",
    }
    assert one(plan, SIGNED) == {"hostedZoneId": "ZZONE", "signingStatus": "SIGNING"}
    assert SIGNING_KEY in waits(plan, SIGNED)


def test_route_53_signs_with_the_key_for_this_zone_alone() -> None:
    policy = statements(one(zone(), KEY)["policy"])
    assert policy["Account"]["Principal"] == {"AWS": "arn:aws:iam::123456789012:root"}
    for sid in ("Sign", "Grant"):
        assert policy[sid]["Principal"] == {"Service": "dnssec-route53.amazonaws.com"}
        assert policy[sid]["Condition"]["StringEquals"] == {"aws:SourceAccount": "123456789012"}
    assert policy["Sign"]["Condition"]["ArnLike"] == {"aws:SourceArn": ZONE_ARN}
    assert policy["Sign"]["Action"] == ["kms:DescribeKey", "kms:GetPublicKey", "kms:Sign"]
    assert policy["Grant"]["Condition"]["Bool"] == {"kms:GrantIsForAWSResource": "true"}


def test_the_ds_record_is_told_once_the_zone_is_signed() -> None:
    def made(opts: pulumi.ResourceOptions) -> None:
        signed = Route53Zone("zone", ZONE, opts)
        aws.sns.Topic("told", display_name=signed.ds_record, opts=pulumi.ResourceOptions(parent=signed))

    plan = planned(made)
    assert one(plan, "aws:sns/topic:Topic")["displayName"] == f"12345 13 2 {'AB' * 32}"
    assert SIGNED in waits(plan, "aws:sns/topic:Topic")


def test_without_dnssec_there_is_no_key() -> None:
    plan = zone(dnssec=False)
    assert plan.of_type(KEY, SIGNING_KEY, SIGNED) == []
    assert outputs(plan)["dsRecord"] == ""


def test_queries_are_logged_to_an_encrypted_group() -> None:
    plan = zone(log_days=400)
    assert one(plan, "aws:cloudwatch/logGroup:LogGroup") == {
        "name": "/aws/route53/shop.example",
        "kmsKeyId": ZONE["log_key_arn"],
        "retentionInDays": 400,
    }
    assert one(plan, QUERY_LOG) == {
        "zoneId": "ZZONE",
        "cloudwatchLogGroupArn": "arn:aws:mock:region:123456789012:zone-queries",
    }


def test_route_53_may_write_to_that_group_alone_before_it_tries() -> None:
    plan = zone()
    inputs = one(plan, LOG_POLICY)
    (statement,) = statements(inputs["policyDocument"]).values()
    assert inputs["policyName"] == "zone-queries"
    assert statement["Principal"] == {"Service": "route53.amazonaws.com"}
    assert statement["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    group = "arn:aws:mock:region:123456789012:zone-queries"
    assert statement["Resource"] == [group, f"{group}:*"]
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "123456789012"},
        "ArnLike": {"aws:SourceArn": ZONE_ARN},
    }
    assert LOG_POLICY in waits(plan, QUERY_LOG)


def test_some_authorities_may_issue_certificates() -> None:
    inputs = one(zone(), RECORD)
    assert (inputs["type"], inputs["name"]) == ("CAA", "shop.example")
    assert inputs["records"] == ['0 issue "amazon.com"', '0 issue "letsencrypt.org"']
    assert one(zone(certificate_issuers=["pki.goog"]), RECORD)["records"] == ['0 issue "pki.goog"']


def test_no_authority_named_is_none() -> None:
    assert one(zone(certificate_issuers=[]), RECORD)["records"] == ['0 issue ";"']


def test_what_would_take_the_domain_off_the_internet_is_protected() -> None:
    assert {each.type for each in zone().resources if each.protect} == {PUBLIC_ZONE, KEY, SIGNING_KEY, SIGNED}
    plan = zone(protect=False, delete_contents=True)
    assert not any(each.protect for each in plan.resources)
    assert one(plan, PUBLIC_ZONE)["forceDestroy"] is True


def test_it_says_how_it_is_found() -> None:
    found = outputs(zone())
    assert found["nameServers"] == ["ns-1.dns.example", "ns-2.dns.example", "ns-3.dns.example", "ns-4.dns.example"]
    assert (found["zoneId"], found["zoneArn"]) == ("ZZONE", ZONE_ARN)


def test_another_region_is_refused_with_the_reason() -> None:
    assert refused(scope=SCOPE) == {
        "scope.region": "Route 53 takes keys and log groups of us-east-1 alone; give that region, and a provider of it"
    }


@pytest.mark.parametrize("domain", ["example", "Example.com", "example.com.", "-a.example", "a..b", "a." * 127 + "com"])
def test_what_is_no_domain_is_refused(domain: str) -> None:
    assert "without a dot at the end" in refused(domain=domain)["domain"]


def test_bad_args_are_refused() -> None:
    assert refused(scope=SCOPE, certificate_issuers=["amazon.com", "Let's Encrypt"]).keys() == {
        "scope.region",
        "certificate_issuers[1]",
    }
    assert "CloudWatch keeps logs for one of 1, 3, 5" in refused(log_days=0)["log_days"]
