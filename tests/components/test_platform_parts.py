"""What a cluster needs once: volumes, priorities, and what people may do."""

from typing import Any

import pulumi
import pytest

from components.platform.access import KubernetesAccess
from components.platform.priority import KubernetesPriorityClasses
from components.platform.storage import KubernetesStorageClass, VolumeProvisioner
from policy.catalogue import judge
from preview.plan import Plan

from ..support import one, planned, remedies
from .examples.gateway import ACCESS, ACCESS_FULL, GOOGLE_VOLUMES, VOLUMES
from .examples.shared import GOOGLE_KEY, KEY, in_cluster

STORAGE = "kubernetes:storage.k8s.io/v1:StorageClass"
PRIORITY = "kubernetes:scheduling.k8s.io/v1:PriorityClass"
ROLE = "kubernetes:rbac.authorization.k8s.io/v1:Role"
BINDING = "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding"
DEFAULT = "storageclass.kubernetes.io/is-default-class"


def volumes(base: Any = VOLUMES, **changes: Any) -> Plan:
    args: Any = {**base, **changes}
    return planned(lambda opts: KubernetesStorageClass("encrypted", args, in_cluster(opts)))


def priorities(**args: Any) -> Plan:
    given: Any = args
    return planned(lambda opts: KubernetesPriorityClasses("cluster", given, in_cluster(opts)))


def access(base: Any = ACCESS, **changes: Any) -> Plan:
    args: Any = {**base, **changes}
    return planned(lambda opts: KubernetesAccess("shop", args, in_cluster(opts)))


def output(plan: Plan, kind: type[pulumi.ComponentResource]) -> dict[str, Any]:
    return next(each for each in plan.resources if each.type == f"plinth:index:{kind.__name__}").outputs


def allowed(plan: Plan, role: str) -> dict[tuple[str, str], set[str]]:
    """The verbs that a role has, by API group and kind."""
    return {
        (group, kind): set(rule["verbs"])
        for rule in one(plan, ROLE, role)["rules"]
        for group in rule["apiGroups"]
        for kind in rule["resources"]
    }


def members(plan: Plan, role: str) -> list[str]:
    return [subject["name"] for subject in one(plan, BINDING, role)["subjects"]]


@pytest.mark.parametrize("plan", [volumes, priorities, access], ids=["volumes", "priorities", "access"])
def test_no_rule_is_broken(plan: Any) -> None:
    assert [finding for finding in judge(plan()) if not finding.rule.startswith("provider-")] == []


# --- Volumes


def test_volumes_are_encrypted_with_the_key_and_outlive_their_claims() -> None:
    made = one(volumes(), STORAGE)
    assert made["provisioner"] == "ebs.csi.aws.com"
    assert made["parameters"] == {
        "type": "gp3",
        "csi.storage.k8s.io/fstype": "ext4",
        "encrypted": "true",
        "kmsKeyId": KEY,
    }
    assert made["reclaimPolicy"] == "Retain"
    # A volume that is made before its pod may stand in a zone where the pod finds no room.
    assert made["volumeBindingMode"] == "WaitForFirstConsumer"
    assert made["allowVolumeExpansion"] is True
    assert made["metadata"]["annotations"] == {DEFAULT: "true"}
    assert output(volumes(), KubernetesStorageClass) == {"storageClass": "encrypted"}


def test_each_driver_is_told_of_the_key_in_its_own_words() -> None:
    assert one(volumes(provisioner=VolumeProvisioner.EBS_AUTO), STORAGE)["parameters"]["kmsKeyId"] == KEY
    made = one(volumes(provisioner=VolumeProvisioner.PERSISTENT_DISK, key=GOOGLE_KEY), STORAGE)
    assert made["provisioner"] == "pd.csi.storage.gke.io"
    assert made["parameters"] == {
        "type": "pd-balanced",
        "csi.storage.k8s.io/fstype": "ext4",
        "disk-encryption-kms-key": GOOGLE_KEY,
    }


def test_what_becomes_of_volumes_is_a_choice() -> None:
    made = one(volumes(GOOGLE_VOLUMES), STORAGE)
    assert made["reclaimPolicy"] == "Delete"
    assert made["metadata"]["annotations"] == {DEFAULT: "false"}
    assert made["parameters"]["type"] == "hyperdisk-balanced"


def test_a_class_gives_up_its_name_before_another_takes_it() -> None:
    for kind, plan in ((STORAGE, volumes()), (PRIORITY, priorities())):
        assert all(each.options["deleteBeforeReplace"] for each in plan.of_type(kind))


def test_bad_volumes_are_refused() -> None:
    def refused(name: str = "encrypted", **changes: Any) -> dict[str, str]:
        args: Any = {**VOLUMES, **changes}
        return remedies(lambda: KubernetesStorageClass(name, args))

    assert refused(volume_type="pd-ssd")["volume_type"] == "choose one of gp3, io2"
    assert "choose one of ebs.csi.aws.com" in refused(provisioner="nfs")["provisioner"]
    assert "give a DNS label" in refused(name="Encrypted")["name"]


# --- Priorities


def test_services_come_first_and_jobs_wait() -> None:
    plan = priorities()
    services, jobs = one(plan, PRIORITY, "cluster-services"), one(plan, PRIORITY, "cluster-jobs")
    assert (services["value"], services["preemptionPolicy"]) == (1000, "PreemptLowerPriority")
    assert (jobs["value"], jobs["preemptionPolicy"]) == (100, "Never")
    assert not services["globalDefault"]
    assert not jobs["globalDefault"]
    assert output(plan, KubernetesPriorityClasses) == {"services": "cluster-services", "jobs": "cluster-jobs"}


def test_priorities_are_a_choice_but_for_their_order() -> None:
    plan = priorities(services=500, jobs=0)
    assert [each.inputs["value"] for each in plan.of_type(PRIORITY)] == [0, 500]

    def refused(**args: Any) -> dict[str, str]:
        given: Any = args
        return remedies(lambda: KubernetesPriorityClasses("cluster", given))

    assert refused(jobs=1000)["jobs"] == "give less than `services`, which is 1000"
    # What is above a billion is the cluster's own.
    assert "give 1 to 1000000000" in refused(services=1_000_000_001)["services"]
    assert "give 0 to" in refused(jobs=-1)["jobs"]


# --- People


def test_viewers_look_at_what_runs_and_its_logs() -> None:
    plan = access()
    looks = allowed(plan, "shop-viewers")
    assert looks.pop(("", "pods/log")) == {"get"}
    assert set(map(frozenset, looks.values())) == {frozenset({"get", "list", "watch"})}
    assert {
        ("", "pods"),
        ("", "events"),
        ("apps", "deployments"),
        ("batch", "cronjobs"),
        ("autoscaling", "horizontalpodautoscalers"),
        ("gateway.networking.k8s.io", "httproutes"),
        ("gateway.envoyproxy.io", "backendtrafficpolicies"),
        ("cert-manager.io", "certificates"),
        ("external-secrets.io", "externalsecrets"),
        ("metrics.k8s.io", "pods"),
    } <= set(looks)
    assert members(plan, "shop-viewers") == ["engineers"]


@pytest.mark.parametrize("base", [ACCESS, ACCESS_FULL], ids=["bare", "full"])
def test_nobody_reads_a_secret_or_is_allowed_everything(base: Any) -> None:
    for role in access(base).of_type(ROLE):
        for rule in role.inputs["rules"]:
            assert "secrets" not in rule["resources"]
            assert not any("*" in each for part in rule.values() for each in part)
            assert not {"escalate", "bind", "impersonate"} & set(rule["verbs"])
            # A token is as good as a secret, and so is a pod of one's own making.
            assert "serviceaccounts/token" not in rule["resources"]
            assert "pods" not in rule["resources"] or "create" not in rule["verbs"]


def test_operators_run_what_is_there_and_look_as_well() -> None:
    plan = access(operators=["on-call", "engineers"])
    assert allowed(plan, "shop-operators") == {
        ("apps", "deployments"): {"patch"},
        ("apps", "statefulsets"): {"patch"},
        ("apps", "deployments/scale"): {"get", "update", "patch"},
        ("apps", "statefulsets/scale"): {"get", "update", "patch"},
        ("", "pods"): {"delete"},
        ("batch", "jobs"): {"create", "delete"},
        ("batch", "cronjobs"): {"patch"},
        ("", "pods/portforward"): {"get", "create"},
    }
    assert members(plan, "shop-operators") == ["on-call", "engineers"]
    assert members(plan, "shop-viewers") == ["engineers", "on-call"]


def test_a_shell_in_pods_is_a_flag() -> None:
    assert ("", "pods/exec") not in allowed(access(operators=["on-call"]), "shop-operators")
    assert allowed(access(ACCESS_FULL), "shop-operators")["", "pods/exec"] == {"get", "create"}


def test_roles_are_of_one_namespace_and_given_to_groups() -> None:
    plan = access(ACCESS_FULL)
    for each in plan.of_type(ROLE, BINDING):
        assert each.inputs["metadata"]["namespace"] == "shop"
    for binding in plan.of_type(BINDING):
        assert binding.inputs["roleRef"] == {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "Role",
            "name": binding.name,
        }
        assert {subject["kind"] for subject in binding.inputs["subjects"]} == {"Group"}
    assert output(plan, KubernetesAccess) == {"viewerRole": "shop-viewers", "operatorRole": "shop-operators"}


def test_nobody_is_given_a_role_that_no_group_has() -> None:
    assert [each.name for each in access().of_type(BINDING)] == ["shop-viewers"]


@pytest.mark.parametrize(
    ("changes", "path", "remedy"),
    [
        ({"viewers": []}, "viewers", "give one group or more"),
        ({"viewers": [""]}, "viewers[0]", "no space around it"),
        ({"operators": [" on-call"]}, "operators[0]", "no space around it"),
        ({"operators": ["system:masters"]}, "operators[0]", "one of the cluster's own groups"),
        ({"viewers": ["system:authenticated"]}, "viewers[0]", "one of the cluster's own groups"),
        ({"viewers": ["a", "a"]}, "viewers[1]", "it is there already"),
        ({"name": "shop/dev"}, "name", "give a DNS label"),
    ],
)
def test_bad_access_is_refused(changes: dict[str, Any], path: str, remedy: str) -> None:
    args: Any = {**ACCESS, **changes}
    name = args.pop("name", "shop")
    found = remedies(lambda: KubernetesAccess(name, args))
    assert list(found) == [path]
    assert remedy in found[path]
