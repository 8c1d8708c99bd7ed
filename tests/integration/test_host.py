"""The components as another project uses them: added as a package, previewed by the engine."""

import json
import os
import shutil
import site
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest

from ..support import ROOT


def missing() -> str:
    """What this machine lacks for a consumer's preview, or nothing."""
    programs = ("pulumi", "pulumi-resource-aws")
    return ", ".join(f"no `{program}` on the PATH" for program in programs if not shutil.which(program))


pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(bool(missing()), reason=f"a consumer's preview needs the real engine: {missing()}"),
]

HEAD = """
import pulumi
import pulumi_aws as aws
import pulumi_plinth as plinth

cloud = aws.Provider(
    "cloud",
    region="eu-central-1",
    access_key="none",
    secret_key="none",
    skip_credentials_validation=True,
    skip_metadata_api_check=True,
    skip_region_validation=True,
    skip_requesting_account_id=True,
)
here = pulumi.ResourceOptions(providers=[cloud])
home = {"account": "123456789012", "region": "eu-central-1"}
zones = ["eu-central-1a", "eu-central-1b"]
"""
GOOD = """
key = plinth.EncryptionKey("logs", scope=home, purpose="Logs", log_groups=True, rotation_days=180, opts=here)
network = plinth.AwsNetwork(
    "main",
    scope=plinth.AwsScopeArgs(**home),
    cidr="10.20.0.0/16",
    zones=zones,
    log_key_arn=key.arn,
    nat=plinth.NatMode.SINGLE,
    flow_log_days=30,
    interface_endpoints=["logs"],
    data_ports={"postgres": 5432},
    opts=here,
)
plinth.AwsSecurityGroup(
    "web",
    vpc_id=network.vpc_id,
    description="Web servers",
    ingress={"inside": {"port": 8080, "cidr": network.cidr}},
    opts=here,
)
pulumi.export("cidr", network.cidr)
"""


class Consumer:
    """A Pulumi project beside a checkout of this repository, with a backend and plugins of its own."""

    def __init__(self, folder: Path):
        self._folder = folder
        self.checkout = folder / "plinth"
        self.project = folder / "shop"
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "components", self.checkout / "components", ignore=ignored)
        for name in ("pyproject.toml", "requirements.txt"):
            shutil.copy(ROOT / name, self.checkout)
        self.project.mkdir()
        options = {"toolchain": "pip", "virtualenv": ".venv"}
        self._write("Pulumi.yaml", json.dumps({"name": "shop", "runtime": {"name": "python", "options": options}}))
        # The components' resources get the provider that they are given, or none.
        self._write("Pulumi.test.yaml", json.dumps({"config": {"pulumi:disable-default-providers": ["aws"]}}))
        self._write("requirements.txt", "pulumi\n")
        self._write("__main__.py", "")
        for environment in (self.checkout / ".venv", self.project / ".venv"):
            _environment(environment)
        _stand_ins(folder / "home" / "plugins")
        (folder / "state").mkdir()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the CLI in the project."""
        settings = {
            "PULUMI_HOME": str(self._folder / "home"),
            "PULUMI_BACKEND_URL": (self._folder / "state").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_IGNORE_AMBIENT_PLUGINS": "false",
            "PULUMI_PYTHON_CMD": sys.executable,
        }
        return subprocess.run(
            ["pulumi", *arguments],
            cwd=self.project,
            env={**os.environ, **settings},
            capture_output=True,
            text=True,
            check=False,
        )

    def add_package(self) -> None:
        """Add the components as a package, which makes the project's SDK of them."""
        result = self.run("package", "add", str(self.checkout / "components"))
        output = result.stdout + result.stderr
        if "No matching distribution found" in output:
            pytest.skip("a consumer's preview needs a Python package index: pip finds none")
        assert result.returncode == 0, output
        result = self.run("stack", "init", "test")
        assert result.returncode == 0, result.stderr

    def preview(self, program: str) -> subprocess.CompletedProcess[str]:
        """Preview the program."""
        self._write("__main__.py", HEAD + program)
        return self.run("preview", "--stack", "test", "--non-interactive", "--json")

    def _write(self, name: str, text: str) -> None:
        (self.project / name).write_text(text)


def _environment(folder: Path) -> None:
    """A virtual environment that has what this one has, so that the engine's installation of it finds all in place."""
    venv.create(folder, with_pip=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "here.pth").write_text("\n".join(site.getsitepackages()))


def _stand_ins(plugins: Path) -> None:
    """Empty folders for the plugins of all packages in the environment, which the engine would fetch before it starts
    the host. The one that is run here is on the PATH."""
    for packages in site.getsitepackages():
        for path in Path(packages).glob("*/pulumi-plugin.json"):
            plugin = json.loads(path.read_text())
            if plugin.get("resource"):
                (plugins / f"resource-{plugin['name']}-v{plugin['version']}").mkdir(parents=True, exist_ok=True)


@pytest.fixture(scope="module")
def consumer(tmp_path_factory: pytest.TempPathFactory) -> Consumer:
    consumer = Consumer(tmp_path_factory.mktemp("consumer"))
    consumer.add_package()
    return consumer


def test_a_consumer_previews_components_with_its_own_provider(consumer: Consumer) -> None:
    result = consumer.preview(GOOD)
    assert result.returncode == 0, result.stdout
    steps: dict[str, dict[str, Any]] = {step["urn"]: step["newState"] for step in json.loads(result.stdout)["steps"]}
    assert len(steps) > 40

    def inputs(type_chain: str, name: str) -> dict[str, Any]:
        return steps[f"urn:pulumi:test::shop::{type_chain}::{name}"]["inputs"]

    network = "plinth:index:AwsNetwork"
    assert inputs("plinth:index:EncryptionKey$aws:kms/key:Key", "logs-key")["rotationPeriodInDays"] == 180
    assert inputs(f"{network}$aws:cloudwatch/logGroup:LogGroup", "main-flow-logs")["retentionInDays"] == 30
    assert (
        inputs(f"{network}$aws:ec2/networkAclRule:NetworkAclRule", "main-data-from-private-postgres")["toPort"] == 5432
    )
    rule = "plinth:index:AwsSecurityGroup$aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
    assert inputs(rule, "web-from-inside")["cidrIpv4"] == "10.20.0.0/16"
    assert sum("natGateway:NatGateway" in urn for urn in steps) == 1, "one gateway: the enum member arrived"
    providers = {state["provider"] for state in steps.values() if state["type"].startswith("aws:")}
    assert len(providers) == 1
    assert "pulumi:providers:aws::cloud::" in providers.pop()


REFUSED = {
    "unknown keys and wrong values": (
        """
plinth.EncryptionKey("logs", scope={**home, "regoin": "x"}, purpose="Logs", rotation_days=5, opts=here)
""",
        [
            "EncryptionKey logs: 2 problems",
            "property scope.regoin with value '{x}' has a problem: unknown key; did you mean `region`?",
            "property rotationDays with value '{5}' has a problem: give 90 to 2560 days",
        ],
    ),
    "a wrong value in an Output": (
        """
cidr = pulumi.Output.from_input("10.0.0.0/8")
plinth.AwsNetwork("main", scope=home, cidr=cidr, zones=zones, log_key_arn="arn", opts=here)
""",
        ["AwsNetwork main: 1 problem", "cidr=10.0.0.0/8: too large; give a block from /16 to /20"],
    ),
    "a wrong value in a secret": (
        """
cidr = pulumi.Output.secret("10.99.0.0/24")
plinth.AwsNetwork("main", scope=home, cidr=cidr, zones=zones, log_key_arn="arn", opts=here)
""",
        ["AwsNetwork main: 1 problem", "cidr: too small for 8 zones; give a block from /16 to /20"],
    ),
}


@pytest.mark.parametrize(("program", "told"), REFUSED.values(), ids=REFUSED)
def test_a_consumer_is_told_what_a_component_refuses(program: str, told: list[str], consumer: Consumer) -> None:
    result = consumer.preview(program)
    messages = "\n".join(each["message"] for each in json.loads(result.stdout)["diagnostics"])
    assert result.returncode != 0
    assert [line for line in told if line not in messages] == [], messages
    assert "10.99.0.0/24" not in result.stdout + result.stderr


def test_the_schema_of_the_folder_is_one_that_every_language_binds(consumer: Consumer) -> None:
    """The CLI binds it, as the generator of each language does, and fails where it cannot."""
    result = consumer.run("package", "get-schema", str(consumer.checkout / "components"))
    assert result.returncode == 0, result.stderr
    schema = json.loads(result.stdout[result.stdout.index("{") :])
    assert "plinth:index:AwsNetwork" in schema["resources"]
