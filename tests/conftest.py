"""Fixtures of every test. Recording is the one way in which a test runs a program: it owns loop, mocks and reset."""

import pytest

from preview.plan import Plan
from preview.project import configuration

from .support import ROOT, recorded


@pytest.fixture(scope="session")
def dev() -> Plan:
    """What the dev stack asks for."""
    return recorded(ROOT / "__main__.py", configuration(ROOT, "dev")).plan


@pytest.fixture(scope="session")
def prod() -> Plan:
    """What the prod stack asks for."""
    return recorded(ROOT / "__main__.py", configuration(ROOT, "prod")).plan
