"""TLS certificates of Google's Certificate Manager."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import TypedDict

import pulumi
import pulumi_gcp as gcp

from ..component import Component, checked, checked_name
from ..problems import InputError, Problem
from ..security.google import GcpScope, scope_problem
from .clouddns import DOMAIN, NAME, NAME_REMEDY, GcpDnsZone

_ANY = "*."
_DIGEST = 7
_LONGEST = 63 - 8
"""What Google takes, without the hyphen and the seven random characters that Pulumi puts at the end."""
_LONGEST_NAME = 42
"""What leaves twelve characters for a host, after a hyphen: the beginning of it, and a digest."""


class GcpCertificatesArgs(TypedDict):
    """Which hosts have certificates."""

    scope: GcpScope
    """Project of the certificates. They are global: the region has no part in them."""
    domains: list[str]
    """Hosts, one or more, such as `portal.example.com`, or `*.example.com` for all directly below a domain. The first
    one's certificate is shown to whoever asks for none of them."""
    zone: GcpDnsZone
    """The zone that all of them are in."""


class GcpCertificates(Component):
    """A certificate for each host, issued and renewed by Google, which sees by a record in the zone that the host is
    ours: no load balancer need answer for it before. And the map by which a load balancer finds them.

    Each host has a certificate of its own, so that another host never replaces one that is in use. The record stays:
    renewal needs it. The zone must be delegated, and its CAA records must let `pki.goog` issue.

    Raises `InputError` for bad args and for a name of which no certificate's can be made.
    """

    certificate_map_id: pulumi.Output[str]
    """Id of the map, for a load balancer. Known once it has all entries."""
    certificate_ids: pulumi.Output[dict[str, str]]
    """Ids of the certificates, by host. Google issues them some minutes after they are made."""

    def __init__(self, name: str, args: GcpCertificatesArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"GcpCertificates {name}"
        args = checked(GcpCertificatesArgs, args, subject, {"scope": scope_problem})
        checked_name(name, subject, _LONGEST_NAME, NAME, NAME_REMEDY)
        hosts = args["domains"]
        if problems := list(host_problems("domains", hosts)):
            raise InputError(subject, problems)
        super().__init__(name, opts)
        self._prefix = name
        self._args = args
        self._project = args["scope"]["project"]
        domains = dict.fromkeys(host.removeprefix(_ANY) for host in hosts)
        proofs = {domain: self._proof(domain) for domain in domains}
        certificates = {host: self._certificate(host, *proofs[host.removeprefix(_ANY)]) for host in hosts}
        certificate_map = gcp.certificatemanager.CertificateMap(
            name,
            project=self._project,
            description=f"Certificates of {name}, by host",
            opts=self._child(),
        )
        entries = [
            gcp.certificatemanager.CertificateMapEntry(
                f"{name}-{self._key(host)}",
                project=self._project,
                map=certificate_map.name,
                hostname=host,
                certificates=[certificate.id],
                opts=self._child(),
            )
            for host, certificate in certificates.items()
        ]
        entries.append(
            gcp.certificatemanager.CertificateMapEntry(
                f"{name}-primary",
                project=self._project,
                map=certificate_map.name,
                matcher="PRIMARY",
                certificates=[certificates[hosts[0]].id],
                opts=self._child(),
            )
        )
        known = pulumi.Output.all(certificate_map.id, *(entry.id for entry in entries))
        self.certificate_map_id = known.apply(lambda ids: ids[0])
        self.certificate_ids = pulumi.Output.all(**{host: each.id for host, each in certificates.items()})
        self._register()

    def _proof(self, domain: str) -> tuple[gcp.certificatemanager.DnsAuthorization, gcp.dns.RecordSet]:
        """What shows that a domain, and all directly below it, is ours."""
        zone = self._args["zone"]
        authorization = gcp.certificatemanager.DnsAuthorization(
            f"{self._prefix}-{self._key(domain)}",
            project=self._project,
            location="global",
            domain=domain,
            # The record has a name of the project's own: another project, or another authority, can prove it too.
            type="PER_PROJECT_RECORD",
            opts=self._child(),
        )
        wanted = authorization.dns_resource_records
        record = gcp.dns.RecordSet(
            f"{self._prefix}-{self._key(domain)}",
            project=zone.get("project", self._project),
            managed_zone=zone["zone_name"],
            name=wanted[0].name,
            type=wanted[0].type,
            ttl=300,
            rrdatas=[wanted[0].data],
            opts=self._child(),
        )
        return authorization, record

    def _certificate(
        self, host: str, authorization: gcp.certificatemanager.DnsAuthorization, record: gcp.dns.RecordSet
    ) -> gcp.certificatemanager.Certificate:
        return gcp.certificatemanager.Certificate(
            f"{self._prefix}-{self._key(host)}",
            project=self._project,
            location="global",
            description=f"{host} of {self._prefix}",
            scope="DEFAULT",
            managed={"domains": [host], "dns_authorizations": [authorization.id]},
            # Google looks for the record at once, and waits long before it looks again; no value carries that.
            opts=self._child(depends_on=[record]),
        )

    def _key(self, host: str) -> str:
        """A host as part of a name. No two have the same: dots become one hyphen, hyphens two, and `*` is told by
        three. What is too long keeps its beginning, with a digest."""
        key = host.replace("-", "--").replace(_ANY, "any---").replace(".", "-")
        room = _LONGEST - len(self._prefix) - 1
        if len(key) <= room:
            return key
        digest = hashlib.sha256(host.encode()).hexdigest()[:_DIGEST]
        return f"{key[: room - _DIGEST - 1].rstrip('-')}-{digest}"


def host_problems(path: str, hosts: Sequence[str]) -> Iterator[Problem]:
    """What is wrong with a list of hosts, of which one can be all directly below a domain."""
    if not hosts:
        yield Problem(path, [], "name one host or more")
    for i, host in enumerate(hosts):
        if not re.fullmatch(DOMAIN, host.removeprefix(_ANY)):
            remedy = "write it in small letters and without a dot at the end, as portal.example.com or *.example.com"
            yield Problem(f"{path}[{i}]", host, remedy)
        elif host in hosts[:i]:
            yield Problem(f"{path}[{i}]", host, "is listed twice; leave one out")
