"""One stack: its settings, its environment, its outputs."""

import pulumi

from stacks import settings
from stacks.environments import deploy

environment = deploy(settings.current())
for name, value in environment.outputs().items():
    pulumi.export(name, value)
