"""Image registries, DNS zones, budgets and who deploys."""

from components.edge.route53 import Route53Zone, Route53ZoneArgs
from components.registry.ecr import EcrRegistry, EcrRegistryArgs, EcrReplicaSettings, EcrReplicaSettingsArgs
from components.security.budget import AwsBudget, AwsBudgetArgs
from components.security.github import GithubDeployRoles, GithubDeployRolesArgs
from components.security.policy import AwsScope

from .shared import AWAY_KEY, HOME, KEY, Examples

AWAY: AwsScope = {**HOME, "region": "eu-west-1"}
NEAR_ROUTE_53: AwsScope = {**HOME, "region": "us-east-1"}

REGISTRY: EcrRegistryArgs = {"scope": HOME, "key_arn": KEY, "repositories": ["skipper/portal", "skipper/worker"]}
REGISTRY_FULL: EcrRegistryArgs = {**REGISTRY, "replicate_to": ["eu-west-1"], "enhanced": True}
REPLICAS: EcrReplicaSettingsArgs = {"scope": AWAY, "key_arn": AWAY_KEY}
REPLICAS_FULL: EcrReplicaSettingsArgs = {**REPLICAS, "prefixes": ["skipper", "ROOT"], "enhanced": True}
ZONE: Route53ZoneArgs = {
    "scope": NEAR_ROUTE_53,
    "domain": "shop.example",
    "log_key_arn": "arn:aws:kms:us-east-1:123456789012:key/logs",
}
ZONE_UNSIGNED: Route53ZoneArgs = {**ZONE, "dnssec": False, "certificate_issuers": []}
BUDGET: AwsBudgetArgs = {"scope": HOME, "monthly_usd": 500, "receivers": ["costs@shop.example"]}
BUDGET_FULL: AwsBudgetArgs = {
    **BUDGET,
    "topic_arn": "arn:aws:sns:eu-central-1:123456789012:costs",
    "thresholds": [90],
    "anomaly_monitor_arn": "arn:aws:ce::123456789012:anomalymonitor/services",
}
ROLES: GithubDeployRolesArgs = {
    "scope": HOME,
    "repository": "shop/Infrastructure",
    "role_prefixes": ["skipper-"],
    "regions": ["eu-central-1", "eu-west-1"],
}
ROLES_FULL: GithubDeployRolesArgs = {
    **ROLES,
    "ids": {"owner": "123", "repository": "456"},
    "branch": "release/1.0",
    "environments": ["dev", "prod"],
    "zone_arns": ["arn:aws:route53:::hostedzone/ZSHOP"],
    "state": {"bucket_arn": "arn:aws:s3:::shop-state", "key_arn": KEY},
    "provider_arn": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com",
}

EXAMPLES: Examples = {
    EcrRegistry: [
        lambda name, opts: EcrRegistry(name, REGISTRY, opts),
        lambda name, opts: EcrRegistry(name, REGISTRY_FULL, opts),
    ],
    EcrReplicaSettings: [
        lambda name, opts: EcrReplicaSettings(name, REPLICAS, opts),
        lambda name, opts: EcrReplicaSettings(name, REPLICAS_FULL, opts),
    ],
    Route53Zone: [
        lambda name, opts: Route53Zone(name, ZONE, opts),
        lambda name, opts: Route53Zone(name, ZONE_UNSIGNED, opts),
    ],
    AwsBudget: [
        lambda name, opts: AwsBudget(name, BUDGET, opts),
        lambda name, opts: AwsBudget(name, BUDGET_FULL, opts),
    ],
    GithubDeployRoles: [
        lambda name, opts: GithubDeployRoles(name, ROLES, opts),
        lambda name, opts: GithubDeployRoles(name, ROLES_FULL, opts),
    ],
}
