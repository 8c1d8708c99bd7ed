"""What happens in a project of Google Cloud, and who hears of it."""

import re
from collections.abc import Iterator, Mapping
from typing import NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from ..component import Component, between, checked, checked_name
from ..observability.cloudmonitoring import Channels, CloudMonitoringAlerts
from ..observability.conditions import CRITICAL, WARNING, GcpCondition
from ..problems import InputError, Problem
from ..storage.gcs import GcsObjectStore, GcsObjectStoreArgs, dual_region_problem
from .google import GcpScope, scope_problem

LOG_TYPES = ("ADMIN_READ", "DATA_READ", "DATA_WRITE")
"""What is logged besides changes of configuration, which always are."""
AUDIT_LOGS = "cloudaudit.googleapis.com"
# The bucket's name is the component's with a hyphen and seven random characters, 63 in all.
_LONGEST_NAME = 55
_NAME = r"(?!goog)(?!.*google)[a-z][a-z0-9-]+"
_NAME_REMEDY = "use small letters, digits and hyphens, a letter first, and do not say google"
_ADDRESS = r"[a-z][a-z0-9-]*@[a-z0-9.-]+\.gserviceaccount\.com"
_DAYS = between(0, 36500, "days")
_CHANGES = f'log_id("{AUDIT_LOGS}/activity")'


class _Change(TypedDict):
    """A change of which somebody hears."""

    severity: str
    filter: str
    reason: str
    expected: bool
    """Whether deployments make such changes."""


_MADE = ("delete", "insert", "patch", "update")


def _methods(*names: str) -> str:
    """A term for methods of Compute Engine, which begin with the version of its API."""
    return f'protoPayload.methodName =~ "compute\\.({"|".join(names)})$"'


_WATCHED: Mapping[str, _Change] = {
    "audit-ownership": {
        "severity": CRITICAL,
        "filter": (
            'protoPayload.serviceName = "cloudresourcemanager.googleapis.com" AND '
            "(ProjectOwnership OR projectOwnerInvitee OR protoPayload.serviceData.policyDelta.bindingDeltas.role = "
            '"roles/owner")'
        ),
        "reason": (
            "Somebody was made an owner of the project or is one no more (CIS-GCP-2.4). Nobody needs to be one: find "
            "out who did it, and take it back unless it was meant to be."
        ),
        "expected": False,
    },
    "audit-configuration": {
        "severity": CRITICAL,
        "filter": (
            'protoPayload.methodName = "SetIamPolicy" AND protoPayload.serviceData.policyDelta.auditConfigDeltas:*'
        ),
        "reason": (
            "What audit logs record was changed (CIS-GCP-2.5), which is how one would hide the next step. Deploy the "
            "project's baseline again, and find out who did it."
        ),
        "expected": False,
    },
    "audit-roles": {
        "severity": WARNING,
        "filter": (
            'resource.type = "iam_role" AND protoPayload.methodName =~ '
            '"google\\.iam\\.admin\\.v1\\.(Create|Delete|Undelete|Update)Role"'
        ),
        "reason": (
            "A custom role was changed (CIS-GCP-2.6): whoever has it may now do something else. Compare it with what "
            "the stacks say."
        ),
        "expected": False,
    },
    "audit-firewall": {
        "severity": WARNING,
        "filter": _methods(
            *(f"firewalls\\.{each}" for each in _MADE),
            r"(networkFirewallPolicies|regionNetworkFirewallPolicies)"
            r"\.(addAssociation|addRule|delete|insert|patch|patchRule|removeAssociation|removeRule)",
        ),
        "reason": (
            "Somebody who does not deploy changed the firewall (CIS-GCP-2.7): compare it with what the stacks say, and "
            "deploy them again unless the change was meant to be."
        ),
        "expected": True,
    },
    "audit-routes": {
        "severity": WARNING,
        "filter": _methods(*(f"routes\\.{each}" for each in ("delete", "insert"))),
        "reason": (
            "Somebody who does not deploy changed a route (CIS-GCP-2.8): traffic may go where nobody looks at it. "
            "Compare the routes with what the stacks say."
        ),
        "expected": True,
    },
    "audit-networks": {
        "severity": WARNING,
        "filter": _methods(r"networks\.(addPeering|delete|insert|patch|removePeering|updatePeering)"),
        "reason": (
            "Somebody who does not deploy changed a network or what it is peered with (CIS-GCP-2.9): compare it with "
            "what the stacks say."
        ),
        "expected": True,
    },
    "audit-buckets": {
        "severity": WARNING,
        "filter": 'resource.type = "gcs_bucket" AND protoPayload.methodName = "storage.setIamPermissions"',
        "reason": (
            "Somebody who does not deploy changed who may read or write a bucket (CIS-GCP-2.10): compare its policy "
            "with what the stacks say."
        ),
        "expected": True,
    },
    "audit-databases": {
        "severity": WARNING,
        "filter": (
            'resource.type = "cloudsql_database" AND protoPayload.methodName =~ '
            '"cloudsql\\.instances\\.(create|delete|patch|update)$"'
        ),
        "reason": (
            "Somebody who does not deploy changed an instance of Cloud SQL (CIS-GCP-2.11): compare its settings with "
            "what the stacks say, its backups and its network first."
        ),
        "expected": True,
    },
}
_SINK_CHANGED = (
    "The sink that keeps the audit logs was changed or deleted, so that what happens next may be recorded nowhere for "
    "long. Deploy the project's baseline again, and find out who did it."
)


class GcpAuditLogsArgs(TypedDict):
    """How the record of a project is kept, and who hears of what."""

    scope: GcpScope
    """The project, and the region of the bucket."""
    key_name: pulumi.Input[str]
    """Id of the KMS key that encrypts the bucket. It stands where the bucket does: in the region, or in `europe` for
    two regions of the EU. Cloud Storage's own account must be allowed to use it."""
    channels: Channels
    """Where alerts go, by severity."""
    deployers: NotRequired[list[str]]
    """Addresses of the service accounts that deploy: their changes of networks, buckets and databases are expected.
    Changes of ownership, of roles and of the record itself are told whoever makes them. Default: none."""
    all_logs: NotRequired[bool]
    """Whether the bucket gets all logs, and not those of audits alone (CIS-GCP-2.2). Default: no."""
    data_locations: NotRequired[list[str]]
    """Two regions that hold the bucket together, so that the record outlives one of them. The bucket's creation decides
    it. Default: none, it stands in the region."""
    archive_after_days: NotRequired[int]
    """Days until a log file moves to the class Coldline, 0 for never. Default: 90."""
    keep_days: NotRequired[int]
    """Days until a log file is deleted, 0 for never. Default: 0."""
    lock_days: NotRequired[int]
    """Days during which nobody deletes a log file (CIS-GCP-2.3), 0 for none. Whoever may change the bucket can lift it:
    it is not locked for good. Default: 365."""
    protect: NotRequired[bool]
    """Whether Pulumi and Google's provider refuse to delete the bucket, and the sink. Default: yes."""
    delete_contents: NotRequired[bool]
    """Whether the bucket's deletion deletes the log files in it too, instead of failing. What is locked stays.
    Default: no."""


def _two_regions(regions: list[str]) -> str | None:
    return dual_region_problem(*regions) if len(regions) == 2 else "name two regions"


_RULES = {
    "scope": scope_problem,
    "data_locations": _two_regions,
    "archive_after_days": _DAYS,
    "keep_days": _DAYS,
    "lock_days": _DAYS,
}


class GcpAuditLogs(Component):
    """The record of who did and read what in a project, of all services and without exempt members (CIS-GCP-2.1), in an
    encrypted bucket whose files nobody deletes for a year (CIS-GCP-2.3), and alerts on what should not happen unnoticed
    (CIS-GCP-2.4 to 2.11).

    A project has one: what all services log is said in one place.

    Raises `InputError` for bad args and for a name that no bucket can have.
    """

    bucket: pulumi.Output[str]
    """Name of the bucket with the log files. Known once logs are written to it."""
    sink_name: pulumi.Output[str]
    """Name of the sink."""
    writer_identity: pulumi.Output[str]
    """Who writes the log files, as policies name it."""
    policy_ids: pulumi.Output[dict[str, str]]
    """Ids of the alert policies, by what they are about."""

    def __init__(self, name: str, args: GcpAuditLogsArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"GcpAuditLogs {name}"
        args = checked(GcpAuditLogsArgs, args, subject, _RULES)
        checked_name(name, subject, _LONGEST_NAME, _NAME, _NAME_REMEDY)
        if problems := list(_problems(args)):
            raise InputError(subject, problems)
        super().__init__(name, opts)
        scope, protect = args["scope"], args.get("protect", True)
        recorded = gcp.projects.IAMAuditConfig(
            name,
            project=scope["project"],
            service="allServices",
            audit_log_configs=[{"log_type": each} for each in LOG_TYPES],
            opts=self._child(),
        )
        store = GcsObjectStore(name, _store(args), self._child())
        sink = gcp.logging.ProjectSink(
            name,
            project=scope["project"],
            description="Keeps the record of who did what",
            destination=pulumi.Output.concat("storage.googleapis.com/", store.bucket),
            filter=None if args.get("all_logs", False) else f'logName:"{AUDIT_LOGS}"',
            unique_writer_identity=True,
            deletion_policy="PREVENT" if protect else "DELETE",
            opts=self._child(protect=protect),
        )
        writer = gcp.storage.BucketIAMMember(
            f"{name}-writer",
            bucket=store.bucket,
            role="roles/storage.objectCreator",
            member=sink.writer_identity,
            opts=self._child(),
        )
        alerts = CloudMonitoringAlerts(
            f"{name}-changes",
            {"scope": scope, "channels": args["channels"], "conditions": _conditions(args, sink)},
            self._child(),
        )
        self.bucket = pulumi.Output.all(store.bucket, writer.id, recorded.id).apply(lambda known: str(known[0]))
        self.sink_name = sink.name
        self.writer_identity = sink.writer_identity
        self.policy_ids = alerts.policy_ids
        self._register()


def _store(args: GcpAuditLogsArgs) -> GcsObjectStoreArgs:
    store: GcsObjectStoreArgs = {
        "scope": args["scope"],
        "key_name": args["key_name"],
        "archive_after_days": args.get("archive_after_days", 90),
        "keep_days": args.get("keep_days", 0),
        "lock_days": args.get("lock_days", 365),
        "protect": args.get("protect", True),
        "delete_contents": args.get("delete_contents", False),
    }
    if "data_locations" in args:
        store["data_locations"] = args["data_locations"]
    return store


def _conditions(args: GcpAuditLogsArgs, sink: gcp.logging.ProjectSink) -> dict[str, GcpCondition]:
    deployers = args.get("deployers", [])
    listed = " OR ".join(f'"{each}"' for each in deployers)
    others = [f"NOT protoPayload.authenticationInfo.principalEmail = ({listed})"] if deployers else []
    found: dict[str, GcpCondition] = {
        key: {
            "severity": change["severity"],
            "reason": change["reason"],
            "log": f"{_CHANGES} AND {change['filter']}",
            "where": others if change["expected"] else [],
        }
        for key, change in _WATCHED.items()
    }
    found["audit-sink"] = {
        "severity": CRITICAL,
        "reason": _SINK_CHANGED,
        "log": f'{_CHANGES} AND protoPayload.methodName =~ "ConfigServiceV2\\.(Delete|Update)Sink$"',
        "labels": {
            "protoPayload.resourceName": pulumi.Output.concat(
                "projects/", args["scope"]["project"], "/sinks/", sink.name
            )
        },
    }
    return found


def _problems(args: GcpAuditLogsArgs) -> Iterator[Problem]:
    keep, archive, lock = args.get("keep_days", 0), args.get("archive_after_days", 90), args.get("lock_days", 365)
    if keep and keep <= archive:
        yield Problem("keep_days", keep, f"give more than archive_after_days, {archive}, or 0 for ever")
    if keep and keep < lock:
        yield Problem("keep_days", keep, f"give lock_days, {lock}, or more: locked files stay")
    deployers = args.get("deployers", [])
    for i, each in enumerate(deployers):
        if not re.fullmatch(_ADDRESS, each):
            yield Problem(f"deployers[{i}]", each, "give the address of a service account")
        elif each in deployers[:i]:
            yield Problem(f"deployers[{i}]", each, "is listed twice; leave one out")
