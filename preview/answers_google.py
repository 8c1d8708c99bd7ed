"""Made-up answers of Google Cloud."""

from typing import Any

_PROJECT = "plinth-123456"


def made_up_by_google(type_: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """The outputs that a resource of the type could have, with its `id`. The same in every run."""
    physical = inputs.get("name", f"{name}-1234567")
    answers: dict[str, Any] = {"id": f"projects/{_PROJECT}/{name}", "name": physical, "project": _PROJECT}
    match type_:
        case "gcp:serviceaccount/account:Account":
            email = f"{inputs['accountId']}@{_PROJECT}.iam.gserviceaccount.com"
            return answers | {"email": email, "member": f"serviceAccount:{email}"}
        case "gcp:projects/serviceIdentity:ServiceIdentity":
            email = f"service-123456789012@{inputs['service'].partition('.')[0]}.iam.gserviceaccount.com"
            return answers | {"email": email, "member": f"serviceAccount:{email}"}
    return answers
