"""Fixtures of every test. Recording is the one way in which a test runs a program: it owns loop, mocks and reset."""

import os
import shutil
import tempfile

import pytest

from preview.plan import Plan

from .support import SHARED, previewed_plan


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        os.environ[SHARED] = tempfile.mkdtemp(prefix="plinth-tests-")


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop(SHARED), ignore_errors=True)


@pytest.fixture(scope="session")
def dev() -> Plan:
    """What the dev stack asks for."""
    return previewed_plan("dev")


@pytest.fixture(scope="session")
def prod() -> Plan:
    """What the prod stack asks for."""
    return previewed_plan("prod")
