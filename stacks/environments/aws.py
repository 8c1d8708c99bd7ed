"""A system on AWS."""

from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from components.database.rds import RdsBackupCopy, RdsPostgres
from components.network.aws import AwsNetwork
from components.network.security_group import ANYWHERE, AwsSecurityGroup
from components.security.iam import AwsServiceRole, StoreGrant
from components.security.kms import EncryptionKey
from components.security.policy import AwsScope
from components.storage.s3 import S3AccessLogs, S3ObjectStore, S3ObjectStoreArgs

from ..model import ObjectStore, Service
from ..settings import Settings
from .aws_settings import INSTANCE_CLASSES, INTERFACE_ENDPOINTS_OF, NAT_MODES, Section
from .cluster import use_cluster

PARTS = ("network", "keys", "database", "stores", "service identities", "namespace in an existing cluster")
"""What of a system is realised here."""
EMULATED = ("ec2", "iam", "kms", "logs", "rds", "s3", "secretsmanager", "sts")
"""The AWS services that an environment calls, as the provider's `endpoints` names them."""


def deploy(settings: Settings) -> "AwsEnvironment":
    """Make the environment."""
    return AwsEnvironment(settings)


class AwsEnvironment:
    """A system's environment on AWS: network, keys, stores, database, identities, in one region, and what is copied
    in the recovery region."""

    def __init__(self, settings: Settings):
        self._settings = settings
        self._section: Section = settings.section
        self._name = settings.name
        self._home = self._scope(settings.region)
        self._random = random.Provider(f"{self._name}-random")
        self._in_home = self._provider(settings.region)
        self._keys()
        self._network()
        self._recovery()
        self._stores()
        self._database()
        self._identities()
        self._namespace = use_cluster(self._name, settings)

    def outputs(self) -> dict[str, Any]:
        """What an engineer needs to find and use it. No secret is among them."""
        database, network = self._postgres, self._vpc
        return {
            "environment": self._name,
            "region": self._settings.region,
            "networkId": network.vpc_id,
            "publicSubnetIds": network.public_subnet_ids,
            "privateSubnetIds": network.private_subnet_ids,
            "dataSubnetIds": network.data_subnet_ids,
            "natAddresses": network.nat_addresses,
            "workloadSecurityGroupId": self._workloads.group_id,
            "databaseHost": database.host,
            "databaseReaderHost": database.reader_host,
            "databasePort": database.port,
            "databaseName": database.database,
            "databaseRole": database.role,
            "databaseUrlSecret": database.url_secret_arn,
            "databaseReaderUrlSecret": database.reader_url_secret_arn,
            "databaseAdministratorSecret": database.administrator_secret_arn,
            "stores": {name: store.bucket for name, store in self._buckets.items()},
            "storeCopies": {name: store.bucket for name, store in self._copies.items()},
            "serviceRoles": {name: role.role_arn for name, role in self._roles.items()},
            **({"namespace": self._namespace} if self._namespace else {}),
        }

    def _scope(self, region: str) -> AwsScope:
        return {"account": self._section.account, "region": region}

    def _provider(self, region: str) -> pulumi.ResourceOptions:
        """A provider of its own for a region: one that is forgotten fails instead of landing elsewhere."""
        settings, emulator = self._settings, {}
        if self._section.endpoint:
            emulator = {
                "endpoints": [dict.fromkeys(EMULATED, self._section.endpoint)],
                "access_key": "emulator",
                "secret_key": "emulator",
                "s3_use_path_style": True,
                "skip_credentials_validation": True,
                "skip_metadata_api_check": True,
            }
        provider = aws.Provider(
            f"{self._name}-{region}",
            region=region,
            allowed_account_ids=[self._section.account],
            default_tags={
                "tags": {
                    "system": settings.system.name,
                    "environment": self._name,
                    "tier": settings.tier.value,
                    "managed-by": "plinth",
                    # Policies read it: what they protect otherwise may go.
                    **({"decommission": "true"} if settings.decommission else {}),
                    **settings.tags,
                }
            },
            **emulator,
        )
        return pulumi.ResourceOptions(providers=[provider, self._random])

    def _key(self, name: str, scope: AwsScope, purpose: str, log_groups: bool, opts: pulumi.ResourceOptions):
        return EncryptionKey(
            f"{self._name}-{name}",
            {
                "scope": scope,
                "purpose": f"{purpose} of {self._name}",
                "log_groups": log_groups,
                "deletion_window_days": 30 if self._settings.profile.durable else 7,
                "protect": self._settings.protect,
            },
            opts,
        )

    def _keys(self) -> None:
        self._data_key = self._key("data", self._home, "Data and secrets", False, self._in_home)
        self._log_key = self._key("logs", self._home, "Logs", True, self._in_home)

    def _network(self) -> None:
        settings, section = self._settings, self._section
        endpoints = section.interface_endpoints
        self._vpc = AwsNetwork(
            f"{self._name}-network",
            {
                "scope": self._home,
                "cidr": settings.network.cidr,
                "zones": list(section.zones),
                "log_key_arn": self._log_key.arn,
                "nat": section.nat or NAT_MODES[settings.tier],
                "flow_log_days": settings.profile.log_days,
                "interface_endpoints": list(INTERFACE_ENDPOINTS_OF[settings.tier] if endpoints is None else endpoints),
                "data_ports": {"postgres": 5432},
            },
            self._in_home,
        )
        self._workloads = AwsSecurityGroup(
            f"{self._name}-workloads",
            {
                "vpc_id": self._vpc.vpc_id,
                "description": f"Services of {self._name}",
                "egress": {"https": {"port": 443, "cidr": ANYWHERE}},
            },
            self._in_home,
        )

    def _recovery(self) -> None:
        """The second region: its provider and its key, where anything is copied there."""
        region = self._settings.recovery_region
        self._away = self._scope(region) if region else None
        if self._away:
            self._in_away = self._provider(self._away["region"])
            self._away_key = self._key("recovery", self._away, "Copies", False, self._in_away)

    def _stores(self) -> None:
        stores = self._settings.system.stores
        home_logs = self._access_logs("access-logs", self._home, self._in_home)
        self._copies: dict[str, S3ObjectStore] = {}
        if self._away and any(store.replicate for store in stores.values()):
            away_logs = self._access_logs("recovery-logs", self._away, self._in_away)
            self._copies = {
                name: self._store(f"{name}-copy", store, self._away, self._away_key, away_logs, self._in_away)
                for name, store in stores.items()
                if store.replicate
            }
        self._buckets = {
            name: self._store(name, store, self._home, self._data_key, home_logs, self._in_home, self._copies.get(name))
            for name, store in stores.items()
        }

    def _access_logs(self, name: str, scope: AwsScope, opts: pulumi.ResourceOptions) -> S3AccessLogs:
        profile = self._settings.profile
        return S3AccessLogs(
            f"{self._name}-{name}",
            {
                "scope": scope,
                "keep_days": profile.log_days,
                "protect": self._settings.protect,
                "delete_contents": not profile.durable,
            },
            opts,
        )

    def _store(
        self,
        name: str,
        store: ObjectStore,
        scope: AwsScope,
        key: EncryptionKey,
        logs: S3AccessLogs,
        opts: pulumi.ResourceOptions,
        copy: S3ObjectStore | None = None,
    ) -> S3ObjectStore:
        args: S3ObjectStoreArgs = {
            "scope": scope,
            "key_arn": key.arn,
            "access_log_bucket": logs.bucket,
            "archive_after_days": store.archive_after_days,
            "keep_days": store.keep_days,
            "keep_versions_days": store.keep_versions_days,
            "lock_days": store.lock_days,
            "protect": self._settings.protect,
            "delete_contents": not self._settings.profile.durable,
        }
        if copy and self._away:
            args["replicate_to"] = {
                "bucket_arn": copy.bucket_arn,
                "key_arn": self._away_key.arn,
                "region": self._away["region"],
            }
        return S3ObjectStore(f"{self._name}-{name}", args, opts)

    def _database(self) -> None:
        settings, database = self._settings, self._settings.system.database
        self._postgres = RdsPostgres(
            f"{self._name}-database",
            {
                "scope": self._home,
                "vpc_id": self._vpc.vpc_id,
                "subnet_ids": self._vpc.data_subnet_ids,
                "key_arn": self._data_key.arn,
                "log_key_arn": self._log_key.arn,
                "database": database.name,
                "version": database.version.value,
                "instance_class": self._section.database.instance_class or INSTANCE_CLASSES[database.size],
                "storage_gb": database.storage_gb,
                "max_storage_gb": database.max_storage_gb,
                "multi_az": database.highly_available,
                "replicas": database.replicas,
                "pooling": database.pooling,
                "backup_days": database.backup_days,
                "log_days": settings.profile.log_days,
                "clients": {"workloads": self._workloads.group_id},
                "protect": settings.protect,
                "keep_final": settings.profile.durable,
            },
            self._in_home,
        )
        if database.copy_backups and self._away:
            RdsBackupCopy(
                f"{self._name}-database-copy",
                {
                    "instance_arn": self._postgres.instance_arn,
                    "key_arn": self._away_key.arn,
                    "backup_days": database.backup_days,
                },
                self._in_away,
            )

    def _identities(self) -> None:
        services = self._settings.system.services
        self._roles = {name: self._role(name, service) for name, service in services.items() if service.needs_identity}

    def _role(self, name: str, service: Service) -> AwsServiceRole:
        stores: dict[str, StoreGrant] = {
            store: {
                "bucket_arn": self._buckets[store].bucket_arn,
                "read": store in service.reads,
                "append": store in service.appends,
            }
            for store in dict.fromkeys((*service.reads, *service.appends))
        }
        secrets: dict[str, pulumi.Input[str]] = {}
        if service.database:
            secrets = {
                "database": self._postgres.url_secret_arn,
                "database-reader": self._postgres.reader_url_secret_arn,
            }
        return AwsServiceRole(
            f"{self._name}-{name}",
            {
                "scope": self._home,
                "description": service.purpose,
                "key_arn": self._data_key.arn,
                "secret_arns": secrets,
                "stores": stores,
            },
            self._in_home,
        )
