"""DNS zones on Google Cloud DNS."""

import re
from collections.abc import Iterator
from typing import NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from ..component import Component, checked, checked_name, matching
from ..problems import InputError, Problem
from ..security.google import GcpScope, scope_problem

NAME = r"[a-z]([a-z0-9-]*[a-z0-9])?"
"""Shape of the names that Google gives to what stands at the edge."""
NAME_REMEDY = "Google takes small letters, digits and hyphens, a letter first and no hyphen last"

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
DOMAIN = rf"(?=.{{1,253}}$)({_LABEL}\.)+{_LABEL}"
"""Shape of a domain."""
DOMAIN_REMEDY = "write it in small letters and without a dot at the end, for example example.com"


class GcpDnsZone(TypedDict):
    """The zone that records are made in."""

    zone_name: pulumi.Input[str]
    """Name of the managed zone, which is not its domain."""
    project: NotRequired[str]
    """Id of its project. Default: that of the component."""


class CloudDnsZoneArgs(TypedDict):
    """What a zone is for, and how it is guarded."""

    scope: GcpScope
    """Project of the zone. It is global: the region has no part in it."""
    domain: str
    """The domain, for example `example.com`."""
    dnssec: NotRequired[bool]
    """Whether the zone is signed (CKV_GCP_16). Take the DS record away from the parent zone two days before it becomes
    `False`: until then resolvers take unsigned answers for forged ones. Default: yes."""
    query_log: NotRequired[bool]
    """Whether Cloud Logging gets the queries. Default: yes."""
    certificate_issuers: NotRequired[list[str]]
    """Certificate authorities that may issue for the domain, by their CAA names; an empty list is none. Default:
    `pki.goog` and `letsencrypt.org`."""
    protect: NotRequired[bool]
    """Whether Pulumi and Google's provider refuse to delete it. Default: yes."""
    delete_contents: NotRequired[bool]
    """Whether its deletion deletes records that others made in it too, instead of failing. Default: no."""


_RULES = {"scope": scope_problem, "domain": matching(DOMAIN, DOMAIN_REMEDY)}


class CloudDnsZone(Component):
    """A public zone that is signed with elliptic curves (CKV_GCP_16, CKV_GCP_17), logs its queries and says who may
    issue certificates.

    It answers once the parent zone, or the registrar, delegates to `name_servers`. Google signs with keys of its own,
    and no output has their DS record: put what `gcloud dns dns-keys list --zone=<zone_name>
    --format='value(dsRecord())'` shows into the parent zone afterwards.

    Raises `InputError` for bad args and for a name of which no zone's can be made.
    """

    zone_name: pulumi.Output[str]
    """Name of the managed zone, in which records are made."""
    zone_id: pulumi.Output[str]
    """Id of the zone."""
    name_servers: pulumi.Output[list[str]]
    """Its name servers, to which the parent zone delegates."""

    def __init__(self, name: str, args: CloudDnsZoneArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"CloudDnsZone {name}"
        args = checked(CloudDnsZoneArgs, args, subject, _RULES)
        # Google takes 63 characters: the name, a hyphen and seven random ones.
        checked_name(name, subject, 55, NAME, NAME_REMEDY)
        issuers = args.get("certificate_issuers", ["pki.goog", "letsencrypt.org"])
        if problems := list(_issuer_problems(issuers)):
            raise InputError(subject, problems)
        super().__init__(name, opts)
        project, protect = args["scope"]["project"], args.get("protect", True)
        zone = gcp.dns.ManagedZone(
            name,
            project=project,
            dns_name=f"{args['domain']}.",
            description=f"{args['domain']} of {name}",
            visibility="public",
            dnssec_config={
                "state": "on" if args.get("dnssec", True) else "off",
                "non_existence": "nsec3",
                # Google takes no change of these while the zone is signed.
                "default_key_specs": [
                    {"algorithm": "ecdsap256sha256", "key_length": 256, "key_type": kind}
                    for kind in ("keySigning", "zoneSigning")
                ],
            },
            cloud_logging_config={"enable_logging": args.get("query_log", True)},
            force_destroy=args.get("delete_contents", False),
            deletion_policy="PREVENT" if protect else "DELETE",
            opts=self._child(protect=protect),
        )
        gcp.dns.RecordSet(
            f"{name}-caa",
            project=project,
            managed_zone=zone.name,
            name=f"{args['domain']}.",
            type="CAA",
            ttl=3600,
            rrdatas=[f'0 issue "{issuer}"' for issuer in issuers] or ['0 issue ";"'],
            opts=self._child(),
        )
        self.zone_name = zone.name
        self.zone_id = zone.id
        self.name_servers = zone.name_servers.apply(list)
        self._register()


def _issuer_problems(issuers: list[str]) -> Iterator[Problem]:
    for i, issuer in enumerate(issuers):
        if not re.fullmatch(DOMAIN, issuer):
            yield Problem(
                f"certificate_issuers[{i}]",
                issuer,
                "give the name that the authority uses in CAA records, for example pki.goog",
            )
