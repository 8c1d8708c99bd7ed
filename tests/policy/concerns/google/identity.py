"""Identity on Google Cloud: in the sound stack, and the ways to break it."""

from typing import Any

from ...breaking import Break, changed, with_options
from ...sketch import GOOGLE, PROJECT, Sketch

MEMBER = f"serviceAccount:shop-web@{PROJECT}.iam.gserviceaccount.com"
POOL = "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool"


def plant(sketch: Sketch) -> None:
    """Put it into the sound stack: a service account, what it is granted, and who acts as it."""
    sketch.add("gcp:serviceaccount/account:Account", "gcp-account", {"accountId": "shop-web"}, provider=GOOGLE)
    only = {"title": "Only the database", "expression": 'resource.name == "projects/plinth/instances/shop"'}
    _granted(sketch, "projects/iAMMember:IAMMember", "gcp-grant", role="roles/cloudsql.client", condition=only)
    _granted(sketch, "projects/iAMMember:IAMMember", "gcp-metrics", role="roles/monitoring.metricWriter")
    _granted(sketch, "projects/iAMMember:IAMMember", "gcp-zones", role="roles/dns.reader")
    acts = {"role": "roles/iam.workloadIdentityUser", "member": f"serviceAccount:{PROJECT}.svc.id.goog[web/seller]"}
    _granted(sketch, "serviceaccount/iAMMember:IAMMember", "gcp-pods", **acts)
    pipeline = {**acts, "member": f"{POOL}/attribute.repository/shop/web"}
    _granted(sketch, "serviceaccount/iAMMember:IAMMember", "gcp-pipeline", **pipeline)


def _granted(sketch: Sketch, type_: str, name: str, **inputs: Any) -> None:
    sketch.add(f"gcp:{type_}", name, {"member": MEMBER, **inputs}, after=["gcp-account"], provider=GOOGLE)


def adding(type_: str, **inputs: Any) -> Break:
    """Break a stack by something that it must not have at all."""
    return lambda sketch: sketch.add(f"gcp:{type_}", "wrong", inputs, provider=GOOGLE)


BREAKS: dict[str, list[Break]] = {
    "gcp-iam-additive": [
        adding("projects/iAMBinding:IAMBinding", role="roles/cloudsql.client", members=[MEMBER]),
        adding("projects/iAMPolicy:IAMPolicy", policyData="{}"),
        adding("secretmanager/secretIamBinding:SecretIamBinding", role="roles/x", members=[MEMBER]),
    ],
    "gcp-iam-no-public": [
        changed("gcp-logs-writers", member="allUsers"),
        changed("gcp-key-secrets", member="allAuthenticatedUsers"),
        adding("storage/bucketIAMBinding:BucketIAMBinding", role="roles/x", members=[MEMBER, "allUsers"]),
    ],
    "gcp-iam-no-basic-role": [
        changed("gcp-grant", role="roles/viewer"),
        adding("organizations/iAMMember:IAMMember", role="roles/editor", member=MEMBER),
        adding("folder/iAMMember:IAMMember", role="roles/owner", member=MEMBER),
    ],
    "gcp-iam-no-impersonation": [
        changed("gcp-grant", role="roles/iam.serviceAccountTokenCreator"),
        adding("folder/iAMMember:IAMMember", role="roles/iam.serviceAccountUser", member=MEMBER),
    ],
    "gcp-iam-no-default-accounts": [
        changed("gcp-grant", member="serviceAccount:1-compute@developer.gserviceaccount.com"),
        changed("gcp-logs-writers", member=f"serviceAccount:{PROJECT}@appspot.gserviceaccount.com"),
    ],
    "gcp-iam-project-grants": [
        changed("gcp-grant", condition=None),
        changed("gcp-grant", condition={"title": "Nothing", "expression": ""}),
        changed("gcp-metrics", role="roles/monitoring.editor"),
        adding("organizations/iAMMember:IAMMember", role="roles/cloudsql.client", member=MEMBER),
    ],
    "gcp-iam-workloads-named": [
        changed("gcp-pods", member=f"serviceAccount:{PROJECT}.svc.id.goog[web/*]"),
        changed("gcp-pipeline", member=f"{POOL}/*"),
    ],
    "gcp-no-service-account-keys": [
        adding("serviceaccount/key:Key", serviceAccountId="shop-web"),
        with_options("gcp-account", type="gcp:serviceaccount/key:Key"),
    ],
}
"""The ways to break the sound stack, by the rule that must notice."""
