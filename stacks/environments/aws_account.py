"""What an AWS account has once: what environments share, and what guards them."""

from typing import Any

import pulumi
import pulumi_random as random

from components.edge.route53 import Route53Zone
from components.observability.cloudwatch import PUBLISHERS, AwsNotifications
from components.registry.ecr import EcrRegistry, EcrReplicaSettings
from components.security.audit import AwsAuditTrail, AwsAuditTrailArgs, AwsConfigRecorder, AwsConfigRecorderArgs
from components.security.budget import AwsBudget
from components.security.github import GithubDeployRoles, GithubDeployRolesArgs
from components.security.guards import AwsAccessAnalyzer, AwsAccessAnalyzerArgs, AwsAccountGuards
from components.security.kms import EncryptionKey
from components.security.policy import AwsScope
from components.security.threats import AwsSecurityHub, AwsSecurityHubArgs, AwsThreatDetection
from components.storage.s3 import S3AccessLogs, S3ObjectStore, S3Replica

from ..account import AccountSettings
from ..model import Tier
from ..systems import SYSTEMS
from ..tiers import PROFILES
from .aws_account_settings import Section
from .aws_place import GLOBAL_REGION, regional_provider
from .tags import cost_tags

LOG_DAYS = PROFILES[Tier.PROD].log_days


def deploy(settings: AccountSettings) -> "AwsAccount":
    """Make the account."""
    return AwsAccount(settings)


class AwsAccount:
    """An account, guarded in the region of its environments and in the one that receives their copies."""

    def __init__(self, settings: AccountSettings):
        self._settings = settings
        self._account = settings.account
        self._section: Section = settings.section
        self._name = settings.name
        self._random = random.Provider(f"{self._name}-random")
        self._places: dict[str, pulumi.ResourceOptions] = {}
        self._away = settings.recovery_region
        self._keys()
        self._notifications()
        self._copies()
        self._audit()
        self._guard_regions()
        self._images()
        self._domain()
        self._deployers()
        self._budget()

    def outputs(self) -> dict[str, Any]:
        """What environments, and the people who set them up, need of it. No secret is among them."""
        return {
            "registry": self._registry.registry_host,
            "repositories": self._registry.repository_urls,
            "zoneId": self._zone.zone_id,
            "nameServers": self._zone.name_servers,
            "delegationSigner": self._zone.ds_record,
            "previewRole": self._roles.preview_role_arn,
            "deployRoles": self._roles.deploy_role_arns,
            "permissionsBoundary": self._roles.boundary_arn,
            "alertTopics": self._alerts.topic_arns,
            "auditTrail": self._trail.trail_arn,
            "auditBucket": self._trail.bucket,
        }

    def _scope(self, region: str) -> AwsScope:
        return {"account": self._section.account, "region": region}

    def _in(self, region: str) -> pulumi.ResourceOptions:
        """Options for what stands in a region: each has a provider of its own."""
        if region not in self._places:
            provider = regional_provider(self._name, region, self._section.account, self._section.endpoint, self._tags)
            self._places[region] = pulumi.ResourceOptions(providers=[provider, self._random])
        return self._places[region]

    @property
    def _tags(self) -> dict[str, str]:
        settings = self._settings
        return cost_tags("account", self._name, Tier.PROD, settings.decommission, settings.tags)

    def _key(
        self, name: str, region: str, purpose: str, log_groups: bool = False, publishers: list[str] | None = None
    ) -> EncryptionKey:
        return EncryptionKey(
            f"{self._name}-{name}",
            {
                "scope": self._scope(region),
                "purpose": f"{purpose} of the account",
                "log_groups": log_groups,
                "publishers": publishers or [],
                "protect": self._settings.protect,
            },
            self._in(region),
        )

    def _keys(self) -> None:
        region = self._settings.region
        self._image_key = self._key("registry", region, "Images")
        self._log_key = self._key(
            "logs", region, "Logs and notifications", log_groups=True, publishers=list(PUBLISHERS)
        )
        self._query_key = self._key("queries", GLOBAL_REGION, "DNS query logs", log_groups=True)

    def _notifications(self) -> None:
        self._alerts = AwsNotifications(
            f"{self._name}-alerts",
            {
                "scope": self._scope(self._settings.region),
                "key_arn": self._log_key.arn,
                "receivers": self._settings.alerts.by_severity,
            },
            self._in(self._settings.region),
        )

    def _copies(self) -> None:
        """In the second region, the copies of what the account's own record is."""
        self._trail_copy: S3Replica | None = None
        self._record_copy: S3Replica | None = None
        if not self._away:
            return
        key = self._key("recovery", self._away, "Copies")
        self._away_key = key
        logs = self._access_logs("recovery-logs", self._away)
        self._trail_copy = self._copy("trail-copy", self._away, key, logs)
        self._record_copy = self._copy("config-copy", self._away, key, logs)

    def _copy(self, name: str, region: str, key: EncryptionKey, logs: S3AccessLogs) -> S3Replica:
        store = S3ObjectStore(
            f"{self._name}-{name}",
            {
                "scope": self._scope(region),
                "key_arn": key.arn,
                "access_log_bucket": logs.bucket,
                "protect": self._settings.protect,
            },
            self._in(region),
        )
        return {"bucket_arn": store.bucket_arn, "key_arn": key.arn, "region": region}

    def _access_logs(self, name: str, region: str) -> S3AccessLogs:
        return S3AccessLogs(
            f"{self._name}-{name}",
            {"scope": self._scope(region), "keep_days": LOG_DAYS, "protect": self._settings.protect},
            self._in(region),
        )

    def _audit(self) -> None:
        """What is done in the account, in any region, and what that makes of its resources."""
        region = self._settings.region
        logs = self._access_logs("access-logs", region)
        trail: AwsAuditTrailArgs = {
            "scope": self._scope(region),
            "access_log_bucket": logs.bucket,
            "log_days": LOG_DAYS,
            "protect": self._settings.protect,
        }
        if self._trail_copy:
            trail["replicate_to"] = self._trail_copy
        self._trail = AwsAuditTrail(f"{self._name}-trail", trail, self._in(region))
        recorder: AwsConfigRecorderArgs = {
            "scope": self._scope(region),
            "access_log_bucket": logs.bucket,
            "protect": self._settings.protect,
        }
        if self._record_copy:
            recorder["replicate_to"] = self._record_copy
        self._recorder = AwsConfigRecorder(f"{self._name}-config", recorder, self._in(region))

    def _guard_regions(self) -> None:
        self._guard(self._settings.region, "", self._recorder, [self._away] if self._away else [])
        if self._away:
            recorder = AwsConfigRecorder(
                f"{self._name}-recovery-config",
                {
                    "scope": self._scope(self._away),
                    "archive": {"bucket": self._recorder.bucket, "key_arn": self._recorder.key_arn},
                    "role_arn": self._recorder.role_arn,
                    "global_types": False,
                },
                self._in(self._away),
            )
            self._guard(self._away, "recovery-", recorder, [])

    def _guard(self, region: str, prefix: str, recorder: AwsConfigRecorder, others: list[str]) -> None:
        """One region's guards. The first region's Security Hub gathers what the others find."""
        name, scope, opts = f"{self._name}-{prefix}", self._scope(region), self._in(region)
        is_home, protect = region == self._settings.region, self._settings.protect
        AwsThreatDetection(f"{name}threats", {"scope": scope, "protect": protect}, opts)
        hub: AwsSecurityHubArgs = {
            "scope": scope,
            "recorder_name": recorder.recorder_name,
            "regions": others,
            "protect": protect,
        }
        if is_home:
            hub["topic_arn"] = self._alerts.critical_topic_arn
        AwsSecurityHub(f"{name}hub", hub, opts)
        # Roles belong to no region, and each is charged where it is looked at: once is enough.
        unused: AwsAccessAnalyzerArgs = {"scope": scope} if is_home else {"scope": scope, "unused_days": 0}
        AwsAccessAnalyzer(f"{name}access", unused, opts)
        AwsAccountGuards(f"{name}guards", {"scope": scope, "global_guards": is_home}, opts)

    def _images(self) -> None:
        if self._away:
            # Before the first image is copied: it decides how the copies' repositories are made.
            EcrReplicaSettings(
                f"{self._name}-image-copies",
                {"scope": self._scope(self._away), "key_arn": self._away_key.arn, "prefixes": list(SYSTEMS)},
                self._in(self._away),
            )
        self._registry = EcrRegistry(
            f"{self._name}-images",
            {
                "scope": self._scope(self._settings.region),
                "key_arn": self._image_key.arn,
                "repositories": self._settings.images,
                "replicate_to": [self._away] if self._away else [],
                "protect": self._settings.protect,
            },
            self._in(self._settings.region),
        )

    def _domain(self) -> None:
        self._zone = Route53Zone(
            f"{self._name}-zone",
            {
                "scope": self._scope(GLOBAL_REGION),
                "domain": self._account.domain,
                "log_key_arn": self._query_key.arn,
                "log_days": LOG_DAYS,
                "protect": self._settings.protect,
            },
            self._in(GLOBAL_REGION),
        )

    def _deployers(self) -> None:
        regions = [self._settings.region, *([self._away] if self._away else [])]
        args: GithubDeployRolesArgs = {
            "scope": self._scope(self._settings.region),
            "repository": self._account.repository,
            "branch": self._account.branch,
            "environments": list(self._account.environments),
            "role_prefixes": [f"{system}-" for system in SYSTEMS],
            "regions": regions,
            "zone_arns": [self._zone.zone_arn],
        }
        if ids := self._account.repository_ids:
            args["ids"] = {"owner": ids.owner, "repository": ids.repository}
        self._roles = GithubDeployRoles(f"{self._name}-ci", args, self._in(self._settings.region))

    def _budget(self) -> None:
        AwsBudget(
            f"{self._name}-budget",
            {
                "scope": self._scope(self._settings.region),
                "monthly_usd": float(self._account.monthly_budget),
                "receivers": self._settings.alerts.by_mail,
            },
            self._in(self._settings.region),
        )
