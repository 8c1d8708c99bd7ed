"""Clusters on GKE, and which images they admit."""

import json
from typing import Any

import pulumi
import pulumi_gcp as gcp
import pytest

from components.cluster.gke import GcpBinaryAuthorization, GkeCluster
from preview.plan import UNKNOWN, Plan
from preview.record import Answer

from ..support import known, one, planned, remedies
from .examples.google_cluster import ADMISSION, GENERAL, GKE, GKE_AUTOPILOT, GKE_FULL, SPARE
from .examples.shared import GOOGLE_KEY, GOOGLE_NETWORK

CLUSTER = "gcp:container/cluster:Cluster"
POOL = "gcp:container/nodePool:NodePool"
MEMBER = "gcp:projects/iAMMember:IAMMember"
POLICY = "gcp:binaryauthorization/policy:Policy"
TOPIC = "gcp:pubsub/topic:Topic"

ACCOUNT = "nodes@plinth-123456.iam.gserviceaccount.com"
PATH = "projects/plinth-123456/locations/europe-west3/clusters/shop-1234567"
EVERY_API = ["https://www.googleapis.com/auth/cloud-platform"]


def cluster(base: Any = GKE, answer: Answer | None = known, **changes: Any) -> Plan:
    args: Any = {**base, **changes}
    return planned(lambda opts: GkeCluster("shop", args, opts), answer)


def made(base: Any = GKE, **changes: Any) -> Any:
    return one(cluster(base, **changes), CLUSTER)


def pool(**changes: Any) -> Any:
    """The one pool of a cluster, with changes."""
    return one(cluster(nodes={"general": {**GENERAL, **changes}}), POOL)


def refused(base: Any = GKE, name: str = "shop", **changes: Any) -> dict[str, str]:
    args: Any = {**base, **changes}
    return remedies(lambda: GkeCluster(name, args))


def refused_pool(**changes: Any) -> dict[str, str]:
    return refused(nodes={"general": {**GENERAL, **changes}})


def output(plan: Plan, name: str) -> Any:
    return next(each for each in plan.resources if each.type == "plinth:index:GkeCluster").outputs[name]


def admission(**changes: Any) -> Any:
    args: Any = {**ADMISSION, **changes}
    return one(planned(lambda opts: GcpBinaryAuthorization("shop", args, opts)), POLICY)


def test_the_bare_call_is_safe() -> None:
    assert (
        made().items()
        >= {
            "project": "plinth-123456",
            "location": "europe-west3",
            "network": GOOGLE_NETWORK,
            "nodeLocations": ["europe-west3-a", "europe-west3-b", "europe-west3-c"],
            "ipAllocationPolicy": {
                "clusterSecondaryRangeName": "pods",
                "servicesSecondaryRangeName": "services",
            },
            "privateClusterConfig": {"enablePrivateNodes": True},
            "databaseEncryption": {"state": "ENCRYPTED", "keyName": GOOGLE_KEY},
            "workloadIdentityConfig": {"workloadPool": "plinth-123456.svc.id.goog"},
            "datapathProvider": "ADVANCED_DATAPATH",
            "binaryAuthorization": {"evaluationMode": "PROJECT_SINGLETON_POLICY_ENFORCE"},
            "releaseChannel": {"channel": "REGULAR"},
            "masterAuth": {"clientCertificateConfig": {"issueClientCertificate": False}},
            "anonymousAuthenticationConfig": {"mode": "LIMITED"},
            "rbacBindingConfig": {
                "enableInsecureBindingSystemAuthenticated": False,
                "enableInsecureBindingSystemUnauthenticated": False,
            },
            "securityPostureConfig": {"mode": "BASIC", "vulnerabilityMode": "VULNERABILITY_DISABLED"},
            "secretManagerConfig": {"enabled": True},
            "costManagementConfig": {"enabled": True},
            "gatewayApiConfig": {"channel": "CHANNEL_DISABLED"},
            "verticalPodAutoscaling": {"enabled": True},
            "enableShieldedNodes": True,
            "enableIntranodeVisibility": True,
            "serviceExternalIpsConfig": {"enabled": False},
            "nodePoolDefaults": {"nodeConfigDefaults": {"insecureKubeletReadonlyPortEnabled": "FALSE"}},
            "deletionProtection": True,
        }.items()
    )
    assert not {"minMasterVersion", "networkPolicy", "enableAutopilot", "name", "description"} & set(made())


def test_the_api_server_has_a_name_and_no_address() -> None:
    assert made()["controlPlaneEndpointsConfig"] == {
        "dnsEndpointConfig": {
            "allowExternalTraffic": True,
            "enableK8sTokensViaDns": False,
            "enableK8sCertsViaDns": False,
        },
        "ipEndpointsConfig": {"enabled": False},
    }
    assert "masterAuthorizedNetworksConfig" not in made()


def test_listed_blocks_reach_its_address_and_no_others() -> None:
    settings = made(allowed_cidrs=["203.0.113.0/24", "198.51.100.7/32"])
    assert settings["controlPlaneEndpointsConfig"]["ipEndpointsConfig"] == {"enabled": True}
    assert settings["controlPlaneEndpointsConfig"]["dnsEndpointConfig"]["allowExternalTraffic"] is True
    assert settings["masterAuthorizedNetworksConfig"] == {
        "cidrBlocks": [{"cidrBlock": "203.0.113.0/24"}, {"cidrBlock": "198.51.100.7/32"}],
        "gcpPublicCidrsAccessEnabled": False,
        "privateEndpointEnforcementEnabled": True,
    }


def test_addresses_can_be_let_in_and_shut_out_again_without_another_cluster() -> None:
    """The subnet of the API server's address could not be changed."""
    kept = made()["privateClusterConfig"]
    assert made(allowed_cidrs=["203.0.113.0/24"])["privateClusterConfig"] == kept == {"enablePrivateNodes": True}


def test_protection_is_one_flag() -> None:
    plan = cluster()
    assert {each.name for each in plan.resources if each.protect} == {"shop"}
    plan = cluster(protect=False)
    assert not [each.name for each in plan.resources if each.protect]
    assert one(plan, CLUSTER)["deletionProtection"] is False


def test_all_logs_and_metrics_are_kept() -> None:
    settings = made()
    assert set(settings["loggingConfig"]["enableComponents"]) == {
        *("SYSTEM_COMPONENTS", "WORKLOADS", "APISERVER", "CONTROLLER_MANAGER", "SCHEDULER")
    }
    monitoring = settings["monitoringConfig"]
    assert {"SYSTEM_COMPONENTS", "APISERVER", "CONTROLLER_MANAGER", "SCHEDULER", "POD"} <= set(
        monitoring["enableComponents"]
    )
    assert monitoring["managedPrometheus"] == {"enabled": True}
    assert monitoring["advancedDatapathObservabilityConfig"] == {"enableMetrics": True, "enableRelay": False}


def test_backups_volumes_and_load_balancers_have_their_add_ons_and_dns_a_cache() -> None:
    settings = made()
    assert settings["addonsConfig"] == {
        "gcePersistentDiskCsiDriverConfig": {"enabled": True},
        "gkeBackupAgentConfig": {"enabled": True},
        "horizontalPodAutoscaling": {"disabled": False},
        "httpLoadBalancing": {"disabled": False},
        "dnsCacheConfig": {"enabled": True},
    }
    assert settings["dnsConfig"] == {"clusterDns": "CLOUD_DNS", "clusterDnsScope": "CLUSTER_SCOPE"}


def test_google_brings_the_gateway_api_where_it_is_asked_to() -> None:
    assert made(gateway_api=True)["gatewayApiConfig"] == {"channel": "CHANNEL_STANDARD"}


def test_the_pool_that_gke_begins_with_is_made_as_the_others_are_and_goes() -> None:
    settings = made()
    assert settings["removeDefaultNodePool"] is True
    assert settings["initialNodeCount"] == 1
    first, general = settings["nodeConfig"], pool()["nodeConfig"]
    for key in ("serviceAccount", "shieldedInstanceConfig", "workloadMetadataConfig", "bootDiskKmsKey", "metadata"):
        assert first[key] == general[key], key


def test_what_is_said_about_the_first_pool_never_replaces_the_cluster() -> None:
    plan = cluster()
    (resource,) = plan.of_type(CLUSTER)
    assert resource.options["ignoreChanges"] == ["nodeConfig", "initialNodeCount", "defaultMaxPodsPerNode"]
    assert resource.options["deleteBeforeReplace"] is True


def test_a_node_is_shielded_encrypted_and_keeps_its_metadata_to_itself() -> None:
    settings = pool()
    assert settings["nodeConfig"] == {
        "machineType": "e2-standard-4",
        "imageType": "COS_CONTAINERD",
        "serviceAccount": ACCOUNT,
        "oauthScopes": EVERY_API,
        "metadata": {"disable-legacy-endpoints": "true"},
        "workloadMetadataConfig": {"mode": "GKE_METADATA"},
        "shieldedInstanceConfig": {"enableSecureBoot": True, "enableIntegrityMonitoring": True},
        "bootDiskKmsKey": GOOGLE_KEY,
        "bootDisk": {"sizeGb": 100},
        "kubeletConfig": {"insecureKubeletReadonlyPortEnabled": "FALSE"},
        "spot": False,
        "labels": {},
        "taints": [],
        "resourceLabels": {},
    }
    assert settings["networkConfig"] == {"enablePrivateNodes": True}


def test_a_pool_grows_and_shrinks_and_is_repaired_and_upgraded() -> None:
    plan = cluster()
    settings = one(plan, POOL)
    assert (
        settings.items()
        >= {
            "cluster": "shop-1234567",
            "location": "europe-west3",
            "nodeLocations": ["europe-west3-a", "europe-west3-b", "europe-west3-c"],
            "autoscaling": {"totalMinNodeCount": 2, "totalMaxNodeCount": 6, "locationPolicy": "BALANCED"},
            "initialNodeCount": 1,
            "maxPodsPerNode": 110,
            "management": {"autoRepair": True, "autoUpgrade": True},
            "upgradeSettings": {"strategy": "SURGE", "maxSurge": 1, "maxUnavailable": 0},
        }.items()
    )
    assert not {"name", "nodeCount", "version"} & set(settings)
    (resource,) = plan.of_type(POOL)
    assert resource.options["ignoreChanges"] == ["initialNodeCount"]
    assert not resource.options.get("deleteBeforeReplace")


def test_a_spot_pool_takes_spare_capacity_wherever_it_is() -> None:
    settings = one(cluster(GKE_FULL), POOL, "shop-spare")
    config = settings["nodeConfig"]
    assert config["spot"] is True
    assert config["labels"] == {"capacity": "spare"}
    assert config["taints"] == [{"key": "spare", "value": "true", "effect": "NO_SCHEDULE"}]
    assert config["bootDisk"] == {"sizeGb": 80, "diskType": "pd-ssd"}
    assert settings["autoscaling"] == {"totalMinNodeCount": 0, "totalMaxNodeCount": 10, "locationPolicy": "ANY"}
    assert settings["initialNodeCount"] == 0


def test_an_upgrade_can_be_blue_green() -> None:
    settings = one(cluster(GKE_FULL), POOL, "shop-spare")["upgradeSettings"]
    assert settings["strategy"] == "BLUE_GREEN"
    assert settings["blueGreenSettings"]["nodePoolSoakDuration"] == "3600s"
    assert not {"maxSurge", "maxUnavailable"} & set(settings)


@pytest.mark.parametrize(("fewest", "zones", "first"), [(0, 3, 0), (1, 3, 1), (3, 3, 1), (4, 3, 2), (5, 1, 5)])
def test_a_pool_starts_with_its_fewest_nodes_at_least(fewest: int, zones: int, first: int) -> None:
    """Pools start with so many in each zone. One that starts with none stands beside one for the add-ons."""
    changes: Any = {"odd": {**GENERAL, "fewest": fewest}, "general": GENERAL}
    assert one(cluster(nodes=changes, zones=GKE["zones"][:zones]), POOL, "shop-odd")["initialNodeCount"] == first


def test_pods_per_node_are_the_pools_to_say_and_the_first_pools() -> None:
    plan = cluster(GKE_FULL)
    assert one(plan, CLUSTER)["defaultMaxPodsPerNode"] == 64
    assert {each.inputs["maxPodsPerNode"] for each in plan.of_type(POOL)} == {64}


def test_another_pool_changes_nothing_that_was_there() -> None:
    once, again = cluster(), cluster(nodes={"spare": SPARE, "general": GENERAL})
    kept = {each.urn: each.inputs for each in again.resources if each.custom}
    for each in once.resources:
        if each.custom:
            assert kept[each.urn] == each.inputs, each.name


def test_cost_labels_reach_nodes_and_the_cluster() -> None:
    plan = cluster(GKE_FULL)
    assert one(plan, CLUSTER)["resourceLabels"] == {"system": "shop"}
    for each in plan.of_type(POOL):
        assert each.inputs["nodeConfig"]["resourceLabels"] == {"system": "shop"}


def test_access_is_for_those_who_are_named_and_to_this_cluster() -> None:
    plan = cluster(GKE_FULL)
    assert {each.name: each.inputs for each in plan.of_type(MEMBER)} == {
        f"shop-{name}": {
            "project": "plinth-123456",
            "role": role,
            "member": member,
            "condition": {
                "title": "Cluster shop",
                "expression": f'resource.name == "{PATH}" || resource.name.startsWith("{PATH}/")',
            },
        }
        for name, role, member in (
            (
                "administrator-deployment",
                "roles/container.admin",
                "serviceAccount:deploys@plinth-123456.iam.gserviceaccount.com",
            ),
            ("viewer-support", "roles/container.viewer", "group:support@shop.example"),
        )
    }
    assert not cluster().of_type(MEMBER)


def test_groups_of_google_can_have_roles_of_kubernetes() -> None:
    assert made(GKE_FULL)["authenticatorGroupsConfig"] == {"securityGroup": "gke-security-groups@shop.example"}
    assert "authenticatorGroupsConfig" not in made()


def test_versions_come_out_of_the_channel_unless_one_is_named() -> None:
    settings = made(GKE_FULL)
    assert settings["releaseChannel"] == {"channel": "STABLE"}
    assert settings["minMasterVersion"] == "1.36"


def test_upgrades_come_at_night_or_when_it_is_said() -> None:
    assert made()["maintenancePolicy"] == {
        "recurringWindow": {
            "startTime": "2026-01-01T02:00:00Z",
            "endTime": "2026-01-01T06:00:00Z",
            "recurrence": "FREQ=DAILY",
        },
        "maintenanceExclusions": [],
    }
    policy = made(GKE_FULL)["maintenancePolicy"]
    assert policy["recurringWindow"]["recurrence"] == "FREQ=WEEKLY;BYDAY=SA,SU"
    assert policy["maintenanceExclusions"] == [
        {
            "exclusionName": "sale",
            "startTime": "2026-11-20T00:00:00Z",
            "endTime": "2026-12-01T00:00:00Z",
            "exclusionOptions": {"scope": "NO_UPGRADES"},
        }
    ]


def test_an_exclusion_lets_patches_of_the_control_plane_through_unless_it_says_more() -> None:
    period = {"start": "2026-11-20T00:00:00Z", "end": "2026-12-01T00:00:00Z"}
    (exclusion,) = made(exclusions={"sale": period})["maintenancePolicy"]["maintenanceExclusions"]
    assert exclusion["exclusionOptions"] == {"scope": "NO_MINOR_OR_NODE_UPGRADES"}


def test_a_topic_is_told_of_upgrades() -> None:
    assert made(GKE_FULL)["notificationConfig"] == {
        "pubsub": {"enabled": True, "topic": "projects/plinth-123456/topics/upgrades"}
    }
    assert "notificationConfig" not in made()


def waiting_for(name: str) -> tuple[Plan, set[tuple[str, str]]]:
    """A full cluster, and what a resource waits for that is made of one of its outputs."""

    def make(opts: pulumi.ResourceOptions) -> None:
        cluster = GkeCluster("shop", GKE_FULL, opts)
        gcp.pubsub.Topic("workload", labels={"of": getattr(cluster, name)}, opts=opts)

    plan = planned(make)
    (topic,) = plan.of_type(TOPIC)
    waits = plan.waits_for(topic.urn)
    return plan, {(plan.resource(urn).type, plan.resource(urn).name) for urn in waits}


def test_workloads_can_wait_until_everything_is_there() -> None:
    """And stay until nothing else goes: the engine deletes in the opposite order."""
    plan, waits = waiting_for("ready")
    expected = {(each.type, each.name) for each in plan.of_type(POOL, MEMBER)}
    assert len(expected) == 4
    assert expected <= waits


def test_the_kubeconfig_is_known_once_those_who_sign_in_can() -> None:
    """It does not wait for pools: while one is replaced, a preview would know nothing of what runs in the cluster."""
    _, waits = waiting_for("kubeconfig")
    assert {(MEMBER, "shop-administrator-deployment"), (MEMBER, "shop-viewer-support")} <= waits
    assert POOL not in {type_ for type_, _ in waits}


def test_identities_of_pods_are_known_once_there_is_a_cluster() -> None:
    plan, waits = waiting_for("workload_pool")
    assert (CLUSTER, "shop") in waits
    assert output(plan, "workloadPool") == "plinth-123456.svc.id.goog"
    assert output(cluster(answer=None), "workloadPool") == UNKNOWN


def test_the_outputs_say_where_the_cluster_is() -> None:
    plan = cluster()
    assert output(plan, "clusterName") == "shop-1234567"
    assert output(plan, "clusterId") == PATH
    assert output(plan, "location") == "europe-west3"
    assert output(plan, "endpoint") == "https://shop.gke.example"
    assert output(plan, "caCertificate") == "Y2VydGlmaWNhdGU="


def test_a_kubeconfig_signs_in_with_googles_plugin_and_holds_no_secret() -> None:
    config = json.loads(output(cluster(allowed_cidrs=["203.0.113.0/24"]), "kubeconfig"))
    (entry,) = config["clusters"]
    assert entry["cluster"] == {"server": "https://shop.gke.example"}
    (user,) = config["users"]
    assert set(user["user"]) == {"exec"}
    assert user["user"]["exec"]["command"] == "gke-gcloud-auth-plugin"
    assert user["user"]["exec"]["provideClusterInfo"] is True
    # Who the provider of Google Cloud is, and not whom somebody has told gcloud to be.
    assert user["user"]["exec"]["args"] == ["--use_application_default_credentials"]
    assert config["current-context"] == config["contexts"][0]["name"]
    assert config["contexts"][0]["context"] == {"cluster": entry["name"], "user": user["name"]}


def test_autopilot_is_told_nothing_that_it_refuses() -> None:
    plan = cluster(GKE_AUTOPILOT)
    settings = one(plan, CLUSTER)
    assert settings["enableAutopilot"] is True
    forbidden = {
        *("removeDefaultNodePool", "initialNodeCount", "nodeConfig", "nodePools", "nodePoolDefaults"),
        *("defaultMaxPodsPerNode", "enableShieldedNodes", "enableIntranodeVisibility", "networkPolicy"),
        *("workloadIdentityConfig", "dnsConfig", "serviceExternalIpsConfig"),
    }
    assert not forbidden & set(settings)
    assert "dnsCacheConfig" not in settings["addonsConfig"]
    assert not {"enabled", "resourceLimits"} & set(settings["clusterAutoscaling"])
    assert not plan.of_type(POOL)


def test_autopilot_is_as_safe() -> None:
    bare, settings = made(), made(GKE_AUTOPILOT)
    same = (
        *("privateClusterConfig", "controlPlaneEndpointsConfig", "databaseEncryption", "binaryAuthorization"),
        *("releaseChannel", "masterAuth", "loggingConfig", "monitoringConfig", "costManagementConfig"),
        *("maintenancePolicy", "deletionProtection", "rbacBindingConfig", "anonymousAuthenticationConfig"),
    )
    assert {key: settings[key] for key in same} == {key: bare[key] for key in same}
    assert settings["clusterAutoscaling"]["autoProvisioningDefaults"] == {
        "serviceAccount": ACCOUNT,
        "oauthScopes": EVERY_API,
        "bootDiskKmsKey": GOOGLE_KEY,
    }
    assert settings["addonsConfig"]["gkeBackupAgentConfig"] == {"enabled": True}
    assert settings["nodePoolAutoConfig"] == {"nodeKubeletConfig": {"insecureKubeletReadonlyPortEnabled": "FALSE"}}


def test_nodes_come_from_pools_or_from_autopilot() -> None:
    assert "turn `autopilot` on" in refused(nodes={})["nodes"]
    problems = refused(autopilot=True, pods_per_node=64)
    assert "leave out these" in problems["nodes"]
    assert "leave it out" in problems["pods_per_node"]


def test_zones_are_in_the_region_and_named_once() -> None:
    assert "such as europe-west3-a" in refused(zones=[])["zones"]
    problems = refused(zones=["europe-west3-a", "europe-west3-a", "europe-west4-b", "europe-west3"])
    assert set(problems) == {"zones[1]", "zones[2]", "zones[3]"}
    assert "once" in problems["zones[1]"]
    assert "europe-west3-a" in problems["zones[2]"]


@pytest.mark.parametrize(
    "kind", ["e2-standard-4", "e2-medium", "n2-custom-4-8192", "c3-standard-8-lssd", "c4a-highmem-8"]
)
def test_a_machine_type_of_google_will_do(kind: str) -> None:
    assert pool(machine_type=kind)["nodeConfig"]["machineType"] == kind


@pytest.mark.parametrize("kind", ["m7g.large", "standard-4", "e2", "e2-micro", "E2-standard-4", "e2-standard"])
def test_what_is_no_machine_type_is_refused(kind: str) -> None:
    assert refused_pool(machine_type=kind) == {
        "nodes.general.machine_type": "write it as <family>-<kind>-<processors>, for example e2-standard-4"
    }


def test_nodes_that_could_not_run_are_refused() -> None:
    assert "0 nodes or more" in refused_pool(fewest=-1)["nodes.general.fewest"]
    assert "`fewest` or more" in refused_pool(fewest=3, most=2)["nodes.general.most"]
    assert "give 3 or more, or fewer zones" in refused_pool(fewest=1, most=2)["nodes.general.most"]
    assert "10 to 65536" in refused_pool(disk_gb=9)["nodes.general.disk_gb"]
    assert "pd-balanced" in refused_pool(disk_type="balanced")["nodes.general.disk_type"]
    assert "NoSchedule" in refused_pool(taints={"spare": "NO_SCHEDULE"})["nodes.general.taints.spare"]
    label = "node-role.kubernetes.io/web"
    assert "its own domains" in refused_pool(labels={label: ""})[f"nodes.general.labels.{label}"]


@pytest.mark.parametrize(
    ("kind", "disk", "remedy"),
    [
        ("c4-standard-4", "pd-balanced", "write hyperdisk-balanced"),
        ("n4-standard-4", "pd-ssd", "write hyperdisk-balanced"),
        ("e2-standard-4", "hyperdisk-balanced", "write pd-balanced"),
    ],
)
def test_a_disk_that_the_machine_cannot_have_is_refused(kind: str, disk: str, remedy: str) -> None:
    assert remedy in refused_pool(machine_type=kind, disk_type=disk)["nodes.general.disk_type"]


@pytest.mark.parametrize("changes", [{"fewest": 0}, {"taints": {"only": "NoExecute"}}])
def test_add_ons_without_a_node_to_run_on_are_refused(changes: dict[str, Any]) -> None:
    assert "add-ons need a node" in refused_pool(**changes)["nodes"]


def test_a_pool_for_add_ons_alone_will_do() -> None:
    assert pool(taints={"components.gke.io/gke-managed-components": "NoSchedule"})


def test_all_problems_of_all_pools_are_reported_together() -> None:
    wrong = {"machine_type": "large", "fewest": -1, "most": 2}
    assert set(refused(nodes={"one": wrong, "two": wrong}, allowed_cidrs=["0.0.0.0/0"])) == {
        *("nodes.one.machine_type", "nodes.one.fewest"),
        *("nodes.two.machine_type", "nodes.two.fewest"),
        *("nodes", "allowed_cidrs[0]"),
    }


def test_blocks_that_let_the_internet_in_are_refused() -> None:
    problems = refused(allowed_cidrs=["203.0.113.0/24", "0.0.0.0/0", "128.0.0.0/1", "203.0.113.7/24", "here"])
    assert set(problems) == {f"allowed_cidrs[{i}]" for i in (1, 2, 3, 4)}
    assert "is most of the internet" in problems["allowed_cidrs[1]"]
    assert "/8 or narrower" in problems["allowed_cidrs[2]"]
    assert problems["allowed_cidrs[3]"] == "has host bits set; write 203.0.113.0/24"


@pytest.mark.parametrize(
    "member", ["allUsers", "allAuthenticatedUsers", "domain:shop.example", "platform@shop.example", "group:platform"]
)
def test_whom_iam_would_not_know_or_everybody_is_refused(member: str) -> None:
    assert "write it as group:<address>" in refused(viewers={"all": member})["viewers.all"]


def test_a_member_is_named_once() -> None:
    group = "group:platform@shop.example"
    problems = refused(administrators={"one": group, "two": group}, viewers={"three": group})
    assert problems == {"administrators.two": "stands at administrators.one too; name each member once"}
    federated = "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/ci/*"
    assert cluster(administrators={"ci": federated}).of_type(MEMBER)


def test_windows_that_google_would_not_take_are_refused() -> None:
    def window(end: str = "2026-01-01T06:00:00Z", recurrence: str = "FREQ=DAILY") -> dict[str, str]:
        return refused(maintenance={"start": "2026-01-01T02:00:00Z", "end": end, "recurrence": recurrence})

    assert "48 hours in 32 days" in window(recurrence="FREQ=WEEKLY;BYDAY=SU")["maintenance.recurrence"]
    assert "48 hours in 32 days" in window(recurrence="FREQ=WEEKLY;BYDAY=SU,SU,SU,SU")["maintenance.recurrence"]
    assert "FREQ=DAILY" in window(recurrence="FREQ=MONTHLY")["maintenance.recurrence"]
    assert "4 to 24 hours" in window(end="2026-01-01T05:00:00Z")["maintenance.end"]
    assert "4 to 24 hours" in window(end="2026-01-02T05:00:00Z")["maintenance.end"]
    assert "after `start`" in window(end="2026-01-01T02:00:00Z")["maintenance.end"]
    assert "time in UTC" in window(end="six o'clock")["maintenance.end"]
    assert "time in UTC" in window(end="2026-13-01T06:00:00Z")["maintenance.end"]


def test_exclusions_have_a_beginning_and_an_end() -> None:
    period = {"start": "2026-12-01T00:00:00Z", "end": "2026-11-20T00:00:00Z"}
    assert "after `start`" in refused(exclusions={"sale": period})["exclusions.sale.end"]
    period = {"start": "2026-11-20T00:00:00Z", "end": "2026-12-01T00:00:00Z"}
    assert "20 at most" in refused(exclusions={f"sale-{i}": period for i in range(21)})["exclusions"]


def test_names_are_as_long_as_what_is_made_of_them() -> None:
    assert "use 32 or fewer" in refused(name="c" * 33)["name"]
    assert "small letters" in refused(name="Shop")["name"]
    assert "no hyphen last" in refused(name="shop-")["name"]
    problems = refused(name="c" * 20, nodes={"g" * 12: GENERAL})
    assert "use 11 or fewer" in problems[f"nodes.{'g' * 12}"]
    assert "small letters" in refused(nodes={"a.b": GENERAL})["nodes.a.b"]


def test_other_bad_args_are_refused() -> None:
    assert "8 to 256" in refused(pods_per_node=7)["pods_per_node"]
    assert "1.36" in refused(version="latest")["version"]
    assert "REGULAR" in refused(release_channel="NORMAL")["release_channel"]
    assert "gke-security-groups@<domain>" in refused(security_group="platform@shop.example")["security_group"]
    assert "projects/<project>/topics/<topic>" in refused(notifications_topic="upgrades")["notifications_topic"]
    assert "project's number" in refused(scope={**GKE["scope"], "number": "shop"})["scope"]
    problems = refused(labels={"System": "shop", "owner": "Web"})
    assert "a letter first" in problems["labels.System"]
    assert "63 at most" in problems["labels.owner"]


def test_images_are_admitted_out_of_named_registries_and_googles_own() -> None:
    policy = admission(registries={"ours": "europe-west3-docker.pkg.dev/shop-1/images", "mirror": "mirror.example/hub"})
    assert policy["project"] == "plinth-123456"
    assert policy["globalPolicyEvaluationMode"] == "ENABLE"
    assert policy["admissionWhitelistPatterns"] == [
        {"namePattern": "europe-west3-docker.pkg.dev/shop-1/images/**"},
        {"namePattern": "mirror.example/hub/**"},
    ]
    assert policy["defaultAdmissionRule"] == {
        "evaluationMode": "ALWAYS_DENY",
        "enforcementMode": "ENFORCED_BLOCK_AND_AUDIT_LOG",
    }


def test_single_images_are_admitted_in_any_version_and_no_other_beside_them() -> None:
    """A star after the name alone would admit `postgres-of-somebody-else` as well."""
    policy = admission(images=["docker.io/library/postgres", "quay.io:443/a/b_c"])
    assert [each["namePattern"] for each in policy["admissionWhitelistPatterns"][-4:]] == [
        "docker.io/library/postgres:*",
        "docker.io/library/postgres@*",
        "quay.io:443/a/b_c:*",
        "quay.io:443/a/b_c@*",
    ]


def test_an_image_is_a_host_and_a_path() -> None:
    images = ["postgres", "docker.io/*", "docker.io/library/postgres:18", "docker.io/a", "docker.io/a"]
    problems = remedies(lambda: GcpBinaryAuthorization("shop", {**ADMISSION, "images": images}))
    assert problems.keys() == {"images[0]", "images[1]", "images[2]", "images[4]"}
    assert "without a tag" in problems["images[2]"]
    assert "twice" in problems["images[4]"]


def test_images_can_be_refused_on_trial() -> None:
    rule = admission(dry_run=True)["defaultAdmissionRule"]
    assert rule == {"evaluationMode": "ALWAYS_DENY", "enforcementMode": "DRYRUN_AUDIT_LOG_ONLY"}


@pytest.mark.parametrize("registry", ["*", "docker.io", "docker.io/*", "https://docker.io/shop", "docker.io/shop/", ""])
def test_a_registry_is_a_host_and_a_path(registry: str) -> None:
    problems = remedies(lambda: GcpBinaryAuthorization("shop", {**ADMISSION, "registries": {"ours": registry}}))
    assert "host and path" in problems["registries.ours"]


def test_a_policy_without_registries_is_refused() -> None:
    problems = remedies(lambda: GcpBinaryAuthorization("shop", {**ADMISSION, "registries": {}}))
    assert "a registry or more" in problems["registries"]
