"""Image registries, DNS zones, budgets and who deploys: in the sound stack, and the ways to break them."""

from typing import Any

from preview.plan import UNKNOWN

from ..breaking import Break, changed, without
from ..sketch import ACCOUNT, AWAY, HOME, Sketch, document

GITHUB = "token.actions.githubusercontent.com"
FILTERS = [{"filter": "*", "filterType": "WILDCARD"}]
SUBJECT = "repo:shop/infrastructure:environment:prod"
NOTICE = {"notificationType": "ACTUAL", "threshold": 80, "subscriberEmailAddresses": ["costs@shop.example"]}
TRUST = {
    "Sid": "GitHub",
    "Effect": "Allow",
    "Action": "sts:AssumeRoleWithWebIdentity",
    "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{GITHUB}"},
}


def plant(sketch: Sketch) -> None:
    """Put them into the sound stack."""
    scanning = {"scanType": "BASIC", "rules": [{"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": FILTERS}]}
    sketch.add("aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration", "image-scanning", scanning)
    images: dict[str, Any] = {
        "imageTagMutability": "IMMUTABLE",
        "encryptionConfigurations": [{"encryptionType": "KMS", "kmsKey": UNKNOWN}],
    }
    flagged = {"imageScanningConfiguration": {"scanOnPush": True}}
    for name, own, key, region in (
        ("image-repository", {}, "key", HOME),
        ("away-repository", flagged, "away-key", AWAY),
    ):
        sketch.add(
            "aws:ecr/repository:Repository",
            name,
            {**images, **own, "name": "shop/web"},
            {"encryptionConfigurations": key},
            after=["image-scanning"] if region == HOME else [],
            provider=region,
        )
        lifecycle = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
        sketch.add(lifecycle, f"{name}-lifecycle", {"policy": "{}"}, {"repository": name}, provider=region)
    sketch.add(
        "aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate",
        "image-copies",
        {**images, "prefix": "ROOT", "appliedFors": ["REPLICATION"], "lifecyclePolicy": "{}"},
        {"encryptionConfigurations": "away-key"},
        provider=AWAY,
    )
    sketch.add("aws:route53/zone:Zone", "public-zone", {"name": "shop.example"})
    sketch.add("aws:route53/zone:Zone", "private-zone", {"name": "shop.internal", "vpcs": [{"vpcId": UNKNOWN}]})
    of_zone, logged = {"hostedZoneId": "public-zone"}, {"zoneId": "public-zone", "cloudwatchLogGroupArn": "flows"}
    sketch.add("aws:route53/keySigningKey:KeySigningKey", "zone-signing-key", {"name": "it"}, of_zone)
    sketch.add("aws:route53/hostedZoneDnsSec:HostedZoneDnsSec", "zone-signature", {}, of_zone)
    sketch.add("aws:route53/queryLog:QueryLog", "zone-queries", {}, logged)
    sketch.add("aws:iam/role:Role", "workflow-role", {"assumeRolePolicy": trust()})
    of_enterprise = trust().replace(GITHUB, f"{GITHUB}/shop")
    sketch.add("aws:iam/role:Role", "enterprise-role", {"assumeRolePolicy": of_enterprise})
    budget = {"budgetType": "COST", "limitAmount": "100.00", "notifications": [NOTICE, {**NOTICE, "threshold": 120}]}
    sketch.add("aws:budgets/budget:Budget", "monthly-budget", budget)


def trust(**condition: Any) -> str:
    """The trust policy of a role for one repository's environment, with other operators in its condition."""
    equal = {f"{GITHUB}:aud": "sts.amazonaws.com", f"{GITHUB}:sub": SUBJECT}
    return document({**TRUST, "Condition": {"StringEquals": equal, **condition}})


def trusting(**condition: Any) -> Break:
    """Break a stack by operators in the condition of that trust policy."""
    return changed("workflow-role", assumeRolePolicy=trust(**condition))


def compared(**claims: Any) -> dict[str, Any]:
    """What a condition compares, by claim."""
    return {f"{GITHUB}:{claim}": value for claim, value in claims.items()}


def scanning(frequency: str, wanted: str) -> Break:
    """Break a stack by the one rule of its registry."""
    filters = [{"filter": wanted, "filterType": "WILDCARD"}]
    return changed("image-scanning", rules=[{"scanFrequency": frequency, "repositoryFilters": filters}])


AWS = {"aud": "sts.amazonaws.com"}

BREAKS: dict[str, list[Break]] = {
    "ecr-immutable": [
        changed("image-repository", imageTagMutability="MUTABLE"),
        changed("image-repository", imageTagMutability=None),
        changed("image-copies", imageTagMutability="MUTABLE_WITH_EXCLUSION"),
    ],
    "ecr-encrypted": [
        changed("image-repository", encryptionConfigurations=None),
        changed("image-repository", encryptionConfigurations=[{"encryptionType": "KMS"}]),
        changed("image-copies", encryptionConfigurations=[{"encryptionType": "AES256", "kmsKey": UNKNOWN}]),
    ],
    "ecr-scanned": [
        without("image-scanning"),
        scanning("MANUAL", "*"),
        scanning("SCAN_ON_PUSH", "tools/*"),
        changed("image-scanning", rules=[]),
        lambda sketch: sketch.set("image-scanning", provider=sketch.urn(AWAY)),
        changed("away-repository", imageScanningConfiguration={"scanOnPush": False}),
    ],
    "ecr-lifecycle": [without("image-repository-lifecycle"), changed("image-repository-lifecycle", policy="")],
    "ecr-copies-lifecycle": [changed("image-copies", lifecyclePolicy=None)],
    "zone-dnssec": [
        without("zone-signature"),
        without("zone-signing-key"),
        changed("zone-signature", signingStatus="NOT_SIGNING"),
        changed("zone-signing-key", status="INACTIVE"),
        changed("private-zone", vpcs=[]),
    ],
    "zone-query-log": [without("zone-queries"), changed("zone-queries", cloudwatchLogGroupArn=None)],
    "oidc-trust-pinned": [
        trusting(StringEquals=compared(sub=SUBJECT)),
        trusting(StringEquals=compared(sub=SUBJECT, aud=["sts.amazonaws.com", "https://github.com/shop"])),
        trusting(StringEquals=compared(**AWS)),
        trusting(StringEquals=compared(**AWS), StringLike=compared(sub="repo:shop/*:environment:prod")),
        trusting(StringEquals=compared(**AWS), StringLike=compared(sub="repo:shop/infrastructure:*")),
        trusting(StringEquals=compared(**AWS), StringLike=compared(sub=[SUBJECT, "*"])),
        trusting(StringEquals=compared(**AWS), **{"ForAllValues:StringEquals": compared(sub=SUBJECT)}),
        trusting(StringEquals=compared(**AWS, sub="environment:prod")),
        changed("enterprise-role", assumeRolePolicy=trust(StringEquals={}).replace(GITHUB, f"{GITHUB}/shop")),
    ],
    "budget-alerts": [
        changed("monthly-budget", notifications=None),
        changed("monthly-budget", notifications=[{**NOTICE, "subscriberEmailAddresses": []}]),
        changed("monthly-budget", notifications=[{**NOTICE, "threshold": 120}]),
    ],
}
"""The ways to break the sound stack, by the rule that must notice."""
