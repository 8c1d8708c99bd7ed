"""Made-up answers of a cloud: values for what only it can know, such as ARNs, so that policy documents can be read."""

from typing import Any

_PARTITION = "arn:aws"


def made_up(type_: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """The outputs that a resource of the type could have, with its `id`. The same in every run."""
    answers: dict[str, Any] = {
        "id": f"{name}-id",
        "arn": f"{_PARTITION}:mock:region:123456789012:{name}",
        "name": inputs.get("name", f"{name}-1234567"),
    }
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
        case "aws:ec2/eip:Eip":
            return answers | {"publicIp": "192.0.2.10"}
        case "aws:kms/key:Key":
            return answers | {"keyId": f"{name}-id"}
    return {"id": answers["id"]} if type_.startswith("pulumi:providers:") else answers
