"""DNS zones on Amazon Route 53."""

import re
from collections.abc import Iterable
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from ..component import Component, checked, known_after, matching
from ..observability.retention import log_retention
from ..problems import InputError, Problem
from ..security.policy import AwsScope, allow, arn, document

REGION = "us-east-1"
"""The one region whose keys sign a zone and whose log groups take its queries."""

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = rf"(?=.{{1,253}}$)({_LABEL}\.)+{_LABEL}"
_DOMAIN_REMEDY = "write it in small letters and without a dot at the end, for example example.com"


class Route53ZoneArgs(TypedDict):
    """What a zone is for, and how it is guarded."""

    scope: AwsScope
    """Account, and `us-east-1` as the region, where Route 53 wants the zone's key and log. This component's provider is
    of that region."""
    domain: str
    """The domain, for example `example.com`."""
    log_key_arn: pulumi.Input[str]
    """ARN of a KMS key in us-east-1 that encrypts the log of queries."""
    log_days: NotRequired[int]
    """Days to keep the log of queries. Default: 365."""
    dnssec: NotRequired[bool]
    """Whether the zone is signed (CKV2_AWS_38). Take the DS record away from the parent zone two days before it becomes
    `False`: until then resolvers take unsigned answers for forged ones. Default: yes."""
    certificate_issuers: NotRequired[list[str]]
    """Certificate authorities that may issue for the domain, by their CAA names; an empty list is none. Default:
    `amazon.com` and `letsencrypt.org`."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete it, its key and its signature. Default: yes."""
    delete_contents: NotRequired[bool]
    """Whether its deletion deletes records that others made in it too, instead of failing. Default: no."""


_RULES = {"domain": matching(_DOMAIN, _DOMAIN_REMEDY), "log_days": log_retention}


class Route53Zone(Component):
    """A public zone that is signed (CKV2_AWS_38), logs its queries (CKV2_AWS_39) and says who may issue certificates.

    It answers once the parent zone, or the registrar, delegates to `name_servers`. Put `ds_record` there afterwards.
    Of log policies like the one that it makes, an account has ten a region.

    Raises `InputError` for bad args and for another region than us-east-1.
    """

    zone_id: pulumi.Output[str]
    """Id of the zone."""
    zone_arn: pulumi.Output[str]
    """ARN of the zone."""
    name_servers: pulumi.Output[list[str]]
    """Its name servers, to which the parent zone delegates."""
    ds_record: pulumi.Output[str]
    """The DS record for the parent zone, empty without DNSSEC. Known once the zone is signed."""

    def __init__(self, name: str, args: Route53ZoneArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"Route53Zone {name}"
        args = checked(Route53ZoneArgs, args, subject, _RULES)
        if problems := list(_problems(args)):
            raise InputError(subject, problems)
        super().__init__(name, opts)
        self._prefix = name
        self._args = args
        self._protected = args.get("protect", True)
        zone = aws.route53.Zone(
            name,
            name=args["domain"],
            comment=f"{args['domain']} of {name}",
            force_destroy=args.get("delete_contents", False),
            opts=self._child(protect=self._protected),
        )
        self._log_queries(zone)
        issuers = args.get("certificate_issuers", ["amazon.com", "letsencrypt.org"])
        aws.route53.Record(
            f"{name}-caa",
            zone_id=zone.zone_id,
            name=args["domain"],
            type="CAA",
            ttl=3600,
            records=[f'0 issue "{issuer}"' for issuer in issuers] or ['0 issue ";"'],
            opts=self._child(),
        )
        self.zone_id = zone.zone_id
        self.zone_arn = zone.arn
        self.name_servers = zone.name_servers.apply(list)
        self.ds_record = self._sign(zone) if args.get("dnssec", True) else pulumi.Output.from_input("")
        self._register()

    def _log_queries(self, zone: aws.route53.Zone) -> None:
        name, scope, domain = self._prefix, self._args["scope"], self._args["domain"]
        group = aws.cloudwatch.LogGroup(
            f"{name}-queries",
            name=f"/aws/route53/{domain}",
            kms_key_id=self._args["log_key_arn"],
            retention_in_days=self._args.get("log_days", 365),
            opts=self._child(),
        )
        policy = aws.cloudwatch.LogResourcePolicy(
            f"{name}-queries",
            policy_name=f"{name}-queries",
            policy_document=document(
                allow(
                    "Queries",
                    ["logs:CreateLogStream", "logs:PutLogEvents"],
                    [group.arn, pulumi.Output.concat(group.arn, ":*")],
                    {"Service": "route53.amazonaws.com"},
                    {
                        "StringEquals": {"aws:SourceAccount": scope["account"]},
                        "ArnLike": {"aws:SourceArn": zone.arn},
                    },
                )
            ),
            opts=self._child(),
        )
        aws.route53.QueryLog(
            f"{name}-queries",
            zone_id=zone.zone_id,
            cloudwatch_log_group_arn=group.arn,
            # Route 53 checks at once that it may write there; no value carries that.
            opts=self._child(depends_on=[policy]),
        )

    def _sign(self, zone: aws.route53.Zone) -> pulumi.Output[str]:
        """The DS record of the zone's key."""
        name, scope = self._prefix, self._args["scope"]
        key = aws.kms.Key(
            f"{name}-dnssec",
            description=f"DNSSEC of {self._args['domain']}",
            customer_master_key_spec="ECC_NIST_P256",
            key_usage="SIGN_VERIFY",
            enable_key_rotation=False,  # AWS rotates no asymmetric key
            deletion_window_in_days=30,
            policy=document(*_key_statements(scope, zone.arn)),
            tags={"Name": f"{name}-dnssec"},
            opts=self._child(protect=self._protected),
        )
        signing_key = aws.route53.KeySigningKey(
            f"{name}-dnssec",
            name="signing",
            hosted_zone_id=zone.zone_id,
            key_management_service_arn=key.arn,
            status="ACTIVE",
            opts=self._child(protect=self._protected),
        )
        signed = aws.route53.HostedZoneDnsSec(
            f"{name}-dnssec",
            hosted_zone_id=zone.zone_id,
            signing_status="SIGNING",
            # Route 53 signs with an active key, which it keeps for as long as it signs; no value carries that.
            opts=self._child(protect=self._protected, depends_on=[signing_key]),
        )
        return known_after(signing_key.ds_record, signed.id)


def _key_statements(scope: AwsScope, zone_arn: pulumi.Input[str]) -> list[dict[str, Any]]:
    service = {"Service": "dnssec-route53.amazonaws.com"}
    account = {"aws:SourceAccount": scope["account"]}
    return [
        # Delegates to IAM: without it nobody, not even an administrator, could ever change the key again.
        allow("Account", ["kms:*"], ["*"], {"AWS": arn(scope, "iam", "root", regional=False)}),
        allow(
            "Sign",
            ["kms:DescribeKey", "kms:GetPublicKey", "kms:Sign"],
            ["*"],
            service,
            {"StringEquals": account, "ArnLike": {"aws:SourceArn": zone_arn}},
        ),
        allow(
            "Grant",
            ["kms:CreateGrant"],
            ["*"],
            service,
            {"StringEquals": account, "Bool": {"kms:GrantIsForAWSResource": "true"}},
        ),
    ]


def _problems(args: Route53ZoneArgs) -> Iterable[Problem]:
    region = args["scope"]["region"]
    if region != REGION:
        yield Problem(
            "scope.region",
            region,
            f"Route 53 takes keys and log groups of {REGION} alone; give that region, and a provider of it",
        )
    for i, issuer in enumerate(args.get("certificate_issuers", [])):
        if not re.fullmatch(_DOMAIN, issuer):
            yield Problem(
                f"certificate_issuers[{i}]",
                issuer,
                "give the name that the authority uses in CAA records, for example amazon.com",
            )
