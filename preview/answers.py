"""Made-up answers of a cloud: values for what only it can know, such as ARNs, so that policy documents can be read."""

from typing import Any

from .answers_google import made_up_by_google

_PARTITION = "arn:aws"
_BACKED_UP = {
    "aws:rds/instance:Instance": "rds:region:123456789012:db:",
    "aws:eks/cluster:Cluster": "eks:region:123456789012:cluster/",
    "aws:ebs/volume:Volume": "ec2:region:123456789012:volume/",
    "aws:efs/fileSystem:FileSystem": "elasticfilesystem:region:123456789012:file-system/",
    "aws:dynamodb/table:Table": "dynamodb:region:123456789012:table/",
}
"""What ARNs begin with whose service is looked at, since backups are made by it. Buckets have no such one."""


def made_up(type_: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """The outputs that a resource of the type could have, with its `id`. The same in every run."""
    answers: dict[str, Any] = {
        "id": f"{name}-id",
        "arn": f"{_PARTITION}:{_BACKED_UP.get(type_, 'mock:region:123456789012:')}{name}",
        "name": inputs.get("name", f"{name}-1234567"),
    }
    if type_.startswith("gcp:"):
        return made_up_by_google(type_, name, inputs)
    if type_.startswith("kubernetes:") and "metadata" in inputs:
        # An object without a name of its own gets one that is made up, as any other resource.
        return {"id": f"{name}-id", "metadata": {"name": f"{name}-1234567", **inputs["metadata"]}}
    match type_:
        case "random:index/randomPassword:RandomPassword":
            return {"id": "none", "result": f"{name}-password"}
        case "random:index/randomId:RandomId":
            return {"id": "c0ffee00", "hex": "c0ffee00"}
        case "aws:s3/bucket:Bucket":
            bucket = f"{name}-1234567"
            return {"id": bucket, "bucket": bucket, "arn": f"{_PARTITION}:s3:::{bucket}"}
        case "aws:rds/instance:Instance":
            return answers | {
                "address": f"{name}.rds.example",
                "port": 5432,
                "resourceId": f"db-{name}",
                "masterUserSecrets": [{"secretArn": f"{answers['arn']}-administrator"}],
            }
        case "aws:rds/proxy:Proxy":
            return answers | {"endpoint": f"{name}.proxy.example"}
        case "aws:mq/broker:Broker":
            host = f"{name}.mq.example"
            return answers | {"instances": [{"endpoints": [f"amqps://{host}:5671"], "consoleUrl": f"https://{host}"}]}
        case "aws:elasticache/replicationGroup:ReplicationGroup":
            return answers | {
                "primaryEndpointAddress": f"{name}.cache.example",
                "readerEndpointAddress": f"{name}-reader.cache.example",
                "port": 6379,
            }
        case "aws:serverlessrepository/cloudFormationStack:CloudFormationStack":
            return answers | {"outputs": {"RotationLambdaARN": answers["arn"]}}
        case "aws:eks/cluster:Cluster":
            own = {"clusterSecurityGroupId": f"{name}-own-id"}
            return answers | {
                "arn": f"{_PARTITION}:eks:region:123456789012:cluster/{answers['name']}",
                "endpoint": f"https://{name}.eks.example",
                "certificateAuthority": {"data": "Y2VydGlmaWNhdGU="},
                "version": inputs.get("version", "1.35"),
                "vpcConfig": {**inputs.get("vpcConfig", {}), **own},
            }
        case "aws:eks/nodeGroup:NodeGroup":
            return answers | {"nodeGroupName": inputs.get("nodeGroupName", f"{name}-1234567")}
        case "aws:ec2/launchTemplate:LaunchTemplate":
            return answers | {"latestVersion": 1}
        case "aws:ec2/eip:Eip":
            return answers | {"publicIp": "192.0.2.10"}
        case "aws:kms/key:Key":
            return answers | {"keyId": f"{name}-id"}
        case "aws:ecr/repository:Repository":
            repository = answers["name"]
            return answers | {
                "arn": f"{_PARTITION}:ecr:region:123456789012:repository/{repository}",
                "repositoryUrl": f"123456789012.dkr.ecr.region.amazonaws.com/{repository}",
            }
        case "aws:route53/zone:Zone":
            zone = f"Z{name.upper()}"
            servers = [f"ns-{number}.dns.example" for number in range(1, 5)]
            arn = f"{_PARTITION}:route53:::hostedzone/{zone}"
            return answers | {"id": zone, "zoneId": zone, "arn": arn, "nameServers": servers}
        case "aws:route53/keySigningKey:KeySigningKey":
            return answers | {"dsRecord": f"12345 13 2 {'AB' * 32}"}
        case "aws:iam/openIdConnectProvider:OpenIdConnectProvider":
            issuer = inputs["url"].removeprefix("https://")
            return answers | {"arn": f"{_PARTITION}:iam::123456789012:oidc-provider/{issuer}"}
    return {"id": answers["id"]} if type_.startswith("pulumi:providers:") else answers
