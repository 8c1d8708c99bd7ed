"""Made-up answers of Google Cloud."""

from typing import Any

_PROJECT = "plinth-123456"


def made_up_by_google(type_: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """The outputs that a resource of the type could have, with its `id`. The same in every run."""
    project = inputs.get("project", _PROJECT)
    physical = inputs.get("name", f"{name}-1234567")
    answers: dict[str, Any] = {"id": f"projects/{project}/{name}", "name": physical, "project": project}
    match type_:
        case "gcp:serviceaccount/account:Account":
            email = f"{inputs['accountId']}@{project}.iam.gserviceaccount.com"
            return answers | {"email": email, "member": f"serviceAccount:{email}"}
        case "gcp:pubsub/topic:Topic" | "gcp:pubsub/subscription:Subscription" | "gcp:pubsub/schema:Schema":
            return answers | {"id": f"projects/{project}/{type_.rpartition(':')[2].lower()}s/{physical}"}
        case "gcp:memorystore/instance:Instance":
            path = f"projects/{project}/locations/{inputs['location']}/instances/{inputs['instanceId']}"
            kinds = ["DISCOVERY"] if inputs.get("mode") == "CLUSTER" else ["PRIMARY", "READER"]
            connections = [
                {"connectionType": f"CONNECTION_TYPE_{kind}", "ipAddress": f"192.0.2.{20 + number}", "port": 6379}
                for number, kind in enumerate(kinds)
            ]
            return answers | {
                "id": path,
                "name": path,
                "endpoints": [{"connections": [{"pscAutoConnection": each} for each in connections]}],
                "managedServerCas": [{"caCerts": [{"certificates": [f"certificate of {name}"]}]}],
            }
        case "gcp:backupdisasterrecovery/backupPlanAssociation:BackupPlanAssociation":
            place = f"projects/{project}/locations/{inputs['location']}"
            return answers | {"dataSource": f"{place}/backupVaults/vault/dataSources/{name}"}
        case "gcp:kms/keyRing:KeyRing":
            return answers | {"id": f"projects/{project}/locations/{inputs['location']}/keyRings/{physical}"}
        case "gcp:kms/cryptoKey:CryptoKey":
            return answers | {"id": f"{inputs['keyRing']}/cryptoKeys/{physical}"}
        case "gcp:storage/bucket:Bucket":
            return answers | {"id": physical, "url": f"gs://{physical}"}
        case "gcp:secretmanager/secret:Secret":
            return answers | {"id": f"projects/{project}/secrets/{inputs['secretId']}"}
        case "gcp:projects/iAMCustomRole:IAMCustomRole":
            role = f"projects/{project}/roles/{inputs['roleId']}"
            return answers | {"id": role, "name": role}
        case "gcp:compute/network:Network":
            path = f"projects/{project}/global/networks/{physical}"
            return answers | {"id": path, "selfLink": f"https://www.googleapis.com/compute/v1/{path}"}
        case "gcp:compute/subnetwork:Subnetwork":
            return answers | {"id": f"projects/{project}/regions/{inputs['region']}/subnetworks/{physical}"}
        case "gcp:compute/networkEndpointGroup:NetworkEndpointGroup":
            path = f"projects/{project}/zones/{inputs['zone']}/networkEndpointGroups/{physical}"
            return answers | {"id": path, "selfLink": f"https://www.googleapis.com/compute/v1/{path}"}
        case "gcp:compute/address:Address":
            return answers | {"address": "192.0.2.10", "selfLink": f"addresses/{physical}"}
        case "gcp:compute/globalAddress:GlobalAddress":
            return answers | {"address": "2001:db8::10" if inputs.get("ipVersion") == "IPV6" else "203.0.113.10"}
        case "gcp:certificatemanager/dnsAuthorization:DnsAuthorization":
            record = f"_acme-challenge_c0ffee00.{inputs['domain']}."
            told = {"name": record, "type": "CNAME", "data": "c0ffee00.authorize.certificatemanager.goog."}
            return answers | {"dnsResourceRecords": [told]}
        case "gcp:certificatemanager/certificateMap:CertificateMap":
            return answers | {"id": f"projects/{project}/locations/global/certificateMaps/{physical}"}
        case "gcp:dns/managedZone:ManagedZone":
            servers = [f"ns-cloud-a{number}.dns.example." for number in range(1, 5)]
            return answers | {"id": f"projects/{project}/managedZones/{physical}", "nameServers": servers}
        case "gcp:artifactregistry/repository:Repository":
            place, repository = inputs["location"], inputs["repositoryId"]
            return answers | {
                "id": f"projects/{project}/locations/{place}/repositories/{repository}",
                "name": repository,
                "registryUri": f"{place}-docker.pkg.dev/{project}/{repository}",
            }
        case "gcp:monitoring/alertPolicy:AlertPolicy":
            path = f"projects/{project}/alertPolicies/{name}"
            return answers | {"id": path, "name": path}
        case "gcp:monitoring/notificationChannel:NotificationChannel":
            path = f"projects/{project}/notificationChannels/{name}"
            return answers | {"id": path, "name": path}
        case "gcp:monitoring/slo:Slo":
            path = f"projects/123456789012/services/{inputs['service']}/serviceLevelObjectives/{name}"
            return answers | {"id": path, "name": path}
        case "gcp:monitoring/uptimeCheckConfig:UptimeCheckConfig":
            path = f"projects/{project}/uptimeCheckConfigs/{name}"
            return answers | {"id": path, "name": path, "uptimeCheckId": name}
        case "gcp:monitoring/dashboard:Dashboard":
            return answers | {"id": f"projects/123456789012/dashboards/{name}"}
        case "gcp:logging/projectBucketConfig:ProjectBucketConfig":
            path = f"projects/{project}/locations/{inputs['location']}/buckets/{inputs['bucketId']}"
            return answers | {"id": path, "name": path}
        case "gcp:container/cluster:Cluster":
            endpoints = inputs.get("controlPlaneEndpointsConfig", {})
            by_name = {**endpoints.get("dnsEndpointConfig", {}), "endpoint": f"{name}.gke.example"}
            return answers | {
                "id": f"projects/{project}/locations/{inputs['location']}/clusters/{physical}",
                "controlPlaneEndpointsConfig": {**endpoints, "dnsEndpointConfig": by_name},
                "masterAuth": {**inputs.get("masterAuth", {}), "clusterCaCertificate": "Y2VydGlmaWNhdGU="},
                "masterVersion": inputs.get("minMasterVersion", "1.35.3-gke.1000"),
            }
        case "gcp:iam/workloadIdentityPool:WorkloadIdentityPool":
            path = f"projects/123456789012/locations/global/workloadIdentityPools/{inputs['workloadIdentityPoolId']}"
            return answers | {"id": path, "name": path}
        case "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider":
            pool = f"projects/123456789012/locations/global/workloadIdentityPools/{inputs['workloadIdentityPoolId']}"
            path = f"{pool}/providers/{inputs['workloadIdentityPoolProviderId']}"
            return answers | {"id": path, "name": path}
        case "gcp:logging/projectSink:ProjectSink":
            writer = "serviceAccount:service-123456789012@gcp-sa-logging.iam.gserviceaccount.com"
            return answers | {"id": f"projects/{project}/sinks/{physical}", "writerIdentity": writer}
        case "gcp:securitycenter/notificationServiceAccount:NotificationServiceAccount":
            email = "service-123456789012@gcp-sa-scc-notification.iam.gserviceaccount.com"
            return answers | {"email": email, "member": f"serviceAccount:{email}"}
        case "gcp:billing/budget:Budget":
            path = f"billingAccounts/{inputs['billingAccount']}/budgets/{name}"
            return answers | {"id": path, "name": path}
        case "gcp:projects/serviceIdentity:ServiceIdentity":
            email = f"service-123456789012@{inputs['service'].partition('.')[0]}.iam.gserviceaccount.com"
            return answers | {"email": email, "member": f"serviceAccount:{email}"}
        case "gcp:gkebackup/backupPlan:BackupPlan" | "gcp:gkebackup/restorePlan:RestorePlan":
            kind = "backupPlans" if type_.endswith("BackupPlan") else "restorePlans"
            return answers | {"id": f"projects/{project}/locations/{inputs['location']}/{kind}/{physical}"}
        case "gcp:backupdisasterrecovery/backupVault:BackupVault":
            path = f"projects/{project}/locations/{inputs['location']}/backupVaults/{inputs['backupVaultId']}"
            agent = f"vault-{name}@gcp-sa-backupdr-pr.iam.gserviceaccount.com"
            return answers | {"id": path, "name": path, "serviceAccount": agent}
        case "gcp:backupdisasterrecovery/backupPlan:BackupPlan":
            path = f"projects/{project}/locations/{inputs['location']}/backupPlans/{inputs['backupPlanId']}"
            return answers | {"id": path, "name": path}
        case "gcp:workflows/workflow:Workflow":
            return answers | {"id": f"projects/{project}/locations/{inputs['region']}/workflows/{physical}"}
        case "gcp:sql/databaseInstance:DatabaseInstance":
            place = f"{project}:{inputs.get('region', 'europe-west3')}:{physical}"
            return answers | {
                "id": f"projects/{project}/instances/{physical}",
                "connectionName": place,
                "privateIpAddress": f"{name}.sql.example",
                "serverCaCerts": [{"cert": f"certificate of {name}"}],
            }
    return answers
