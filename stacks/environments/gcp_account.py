"""What a project of Google Cloud has once: what environments share, and what guards it."""

from typing import Any

import pulumi
import pulumi_random as random

from components.cluster.gke import GcpBinaryAuthorization
from components.edge.clouddns import CloudDnsZone
from components.images import ALL, repository_of
from components.observability.cloudmonitoring import Channels, GcpNotificationChannels
from components.platform.charts import CHARTS
from components.registry.artifact import GcpArtifactRegistry
from components.security.gcp_audit import GcpAuditLogs, GcpAuditLogsArgs
from components.security.gcp_budget import GcpBudget
from components.security.gcp_findings import GcpFindingNotifications
from components.security.gcp_github import GithubWorkloadIdentity, GithubWorkloadIdentityArgs, deploy_account_id
from components.security.gcp_guards import GcpGuards
from components.security.gcp_keys import GcpEncryptionKey
from components.security.gcp_perimeter import GcpServicePerimeter
from components.security.google import GcpScope, account_email, service_account, service_agent
from components.security.project import GcpServices
from components.storage.gcs import key_location

from ..account import AccountSettings
from ..model import Tier
from ..tiers import PROFILES
from .gcp_account_settings import Section
from .gcp_place import project_provider
from .gcp_settings import ADD_ONS
from .tags import cost_tags

LOG_DAYS = PROFILES[Tier.PROD].log_days
SERVICES = (
    "accesscontextmanager.googleapis.com",
    "artifactregistry.googleapis.com",
    "binaryauthorization.googleapis.com",
    "billingbudgets.googleapis.com",
    "cloudkms.googleapis.com",
    "compute.googleapis.com",
    "containerscanning.googleapis.com",
    "dns.googleapis.com",
    "essentialcontacts.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "orgpolicy.googleapis.com",
    "pubsub.googleapis.com",
    "securitycenter.googleapis.com",
    "storage.googleapis.com",
    "sts.googleapis.com",
)
"""What the account's stack switches on in its project."""
AGENTS = (
    "artifactregistry.googleapis.com",
    "monitoring.googleapis.com",
    "pubsub.googleapis.com",
)
"""Those whose own accounts are given keys, or grants, before the first of their resources is made."""
_KEY_USERS = {
    "images": "gcp-sa-artifactregistry",
    "messages": "gcp-sa-pubsub",
    "records": "gs-project-accounts",
}
"""By which accounts Google's services encrypt: the middle of their domains, by what they keep."""
_LARGER_PLACES = {"europe": "europe", "us": "us", "asia": "asia"}
"""What keeps images in more than one region, by what a region's name begins with."""
PUBLIC_IMAGES = frozenset(
    {
        *(image.repository for add_on in ADD_ONS for image in CHARTS[add_on.value].images if image.runs),
        *(repository_of(image) for image in ALL),
    }
)
"""What the charts, jobs and servers of environments run out of registries of others."""


def deploy(settings: AccountSettings) -> "GcpAccount":
    """Make the account."""
    return GcpAccount(settings)


class GcpAccount:
    """A project, guarded by the policies of its organization and by a perimeter."""

    def __init__(self, settings: AccountSettings):
        self._settings = settings
        self._account = settings.account
        self._section: Section = settings.section
        self._name = settings.name
        self._scope: GcpScope = {
            "project": self._section.project,
            "number": self._section.project_number,
            "region": settings.region,
        }
        self._project()
        self._keys()
        self._notifications()
        self._deployers()
        self._audit()
        self._guards()
        self._images()
        self._domain()
        self._budget()

    def outputs(self) -> dict[str, Any]:
        """What environments, and the people who set them up, need of it. No secret is among them."""
        return {
            "registry": self._registry.registry_host,
            "repositories": self._registry.repository_urls,
            "registries": self._registry.repository_ids,
            "mirrors": self._registry.mirror_urls,
            "zone": self._zone.zone_name,
            "nameServers": self._zone.name_servers,
            "identityProvider": self._identities.provider_name,
            "previewIdentity": self._identities.preview_account,
            "deployIdentities": self._identities.deploy_accounts,
            "alertTopics": self._channels.topics,
            "findings": self._findings.subscription,
            "auditBucket": self._trail.bucket,
        }

    @property
    def _labels(self) -> dict[str, str]:
        settings = self._settings
        return cost_tags("account", self._name, Tier.PROD, settings.decommission, settings.tags)

    @property
    def _to(self) -> Channels:
        return {"critical": self._channels.critical, "warning": self._channels.warning}

    def _project(self) -> None:
        """What the project must have switched on; the provider of everything else waits for it."""
        region = self._settings.region
        at_first = project_provider(self._name, "project", self._section.project, region, self._labels)
        enabled = GcpServices(
            f"{self._name}-services",
            {"scope": self._scope, "services": list(SERVICES), "agents": list(AGENTS)},
            pulumi.ResourceOptions(provider=at_first),
        )
        provider = project_provider(self._name, region, self._section.project, region, self._labels, enabled.made)
        chance = random.Provider(f"{self._name}-random")
        self._here = pulumi.ResourceOptions(providers=[provider, chance])

    def _key(self, name: str, purpose: str, users: tuple[str, ...], location: str) -> GcpEncryptionKey:
        return GcpEncryptionKey(
            f"{self._name}-{name}",
            {
                "scope": self._scope,
                "purpose": purpose,
                "location": location,
                "users": {user: service_agent(self._scope, _KEY_USERS[user]) for user in users},
                "protect": self._settings.protect,
            },
            self._here,
        )

    @property
    def _image_place(self) -> str:
        """Where images are: in several regions at once where there is a second region, else at home."""
        region = self._settings.region
        return _LARGER_PLACES.get(region.partition("-")[0], region) if self._settings.recovery_region else region

    def _keys(self) -> None:
        self._record_key = self._key("records", "Records and messages", ("messages", "records"), self._scope["region"])
        self._image_key = self._key("registry", "Images", ("images",), self._image_place)

    def _notifications(self) -> None:
        self._channels = GcpNotificationChannels(
            f"{self._name}-alerts",
            {
                "scope": self._scope,
                "key_name": self._record_key.key_name,
                "receivers": self._settings.alerts.by_severity,
                "protect": self._settings.protect,
            },
            self._here,
        )

    def _deployers(self) -> None:
        args: GithubWorkloadIdentityArgs = {
            "scope": self._scope,
            "repository": self._account.repository,
            "branch": self._account.branch,
            "environments": list(self._account.environments),
            "account_prefix": self._section.account_prefix,
        }
        if ids := self._account.repository_ids:
            args["repository_ids"] = {"owner": ids.owner, "repository": ids.repository}
        self._identities = GithubWorkloadIdentity(f"{self._name}-ci", args, self._here)

    def _audit(self) -> None:
        """What is done in the project, and what Google finds wrong with it."""
        args: GcpAuditLogsArgs = {
            "scope": self._scope,
            "key_name": self._record_key.key_name,
            "channels": self._to,
            "deployers": [
                account_email(self._scope, deploy_account_id(self._section.account_prefix, each))
                for each in self._account.environments
            ],
            "lock_days": LOG_DAYS,
            "protect": self._settings.protect,
        }
        if away := self._settings.recovery_region:
            # So that the record outlives a region: in two at once, with a key that both have.
            place = key_location(self._scope["region"], away) or self._scope["region"]
            args["data_locations"] = [self._scope["region"], away]
            args["key_name"] = self._key("audit", "The record of what is done", ("records",), place).key_name
        self._trail = GcpAuditLogs(f"{self._name}-audit", args, self._here)
        self._findings = GcpFindingNotifications(
            f"{self._name}-findings",
            {
                "scope": self._scope,
                "key_name": self._record_key.key_name,
                "channels": self._to,
                "protect": self._settings.protect,
            },
            self._here,
        )

    def _guards(self) -> None:
        GcpGuards(
            f"{self._name}-guards",
            {
                "scope": self._scope,
                "locations": list(self._section.locations),
                "contacts": self._settings.alerts.by_mail,
            },
            self._here,
        )
        if perimeter := self._section.perimeter:
            inside = {**self._identities_of_ci(), **perimeter.identities}
            GcpServicePerimeter(
                f"{self._name}-perimeter",
                {
                    "scope": self._scope,
                    "access_policy": perimeter.access_policy,
                    "allowed_cidrs": list(perimeter.allow),
                    "allowed_identities": list(inside.values()),
                    "enforced": perimeter.enforced,
                },
                self._here,
            )

    def _identities_of_ci(self) -> dict[str, pulumi.Input[str]]:
        deployers = self._identities.deploy_accounts
        return {
            "preview": service_account(self._identities.preview_account),
            **{each: service_account(deployers[each]) for each in self._account.environments},
        }

    def _images(self) -> None:
        self._registry = GcpArtifactRegistry(
            f"{self._name}-images",
            {
                "scope": self._scope,
                "key_name": self._image_key.key_name,
                "repositories": self._settings.images,
                "location": self._image_place,
                "readers": dict(self._section.nodes),
                "mirrors": list(self._section.mirrors),
                "writers": {
                    each: service_account(self._identities.deploy_accounts[each]) for each in self._account.environments
                },
                "protect": self._settings.protect,
            },
            self._here,
        )
        others = {*self._section.images, *(PUBLIC_IMAGES if self._section.public_images else ())}
        GcpBinaryAuthorization(
            f"{self._name}-admission",
            {"scope": self._scope, "registries": {"ours": self._registry.registry_host}, "images": sorted(others)},
            self._here,
        )

    def _domain(self) -> None:
        self._zone = CloudDnsZone(
            f"{self._name}-zone",
            {"scope": self._scope, "domain": self._account.domain, "protect": self._settings.protect},
            self._here,
        )

    def _budget(self) -> None:
        GcpBudget(
            f"{self._name}-budget",
            {
                "scope": self._scope,
                "billing_account": self._section.billing_account,
                "monthly_units": self._account.monthly_budget,
                "channels": self._channels.mail,
            },
            self._here,
        )
