"""`@pytest.mark.lab("SCENARIO", phase="...", vantage="...")`: the test runs there, inside a lab.

pytest itself stays outside and runs itself again, for this test alone, as the command of `roadblock exec`. So fixtures of such
a test are made twice, once outside and once inside, and only the inner ones see the lab.
"""

import os
import subprocess
import sys

import pytest

ROADBLOCK = os.environ.get("ROADBLOCK", "roadblock")
# Names, in the process inside, the test that it was started for.
INSIDE = "ROADBLOCK_TEST"


def pytest_configure(config):
    config.addinivalue_line("markers", "lab(scenario, phase=None, vantage=None): run the test inside a lab")


@pytest.fixture(scope="session", autouse=True)
def machine_that_runs_labs():
    """One clear failure in place of many where there can be no lab."""
    if INSIDE not in os.environ:
        doctor = subprocess.run([ROADBLOCK, "doctor"], capture_output=True, text=True)
        if doctor.returncode != 0:
            pytest.fail(doctor.stdout + doctor.stderr, pytrace=False)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    lab = pyfuncitem.get_closest_marker("lab")
    if lab is None or os.environ.get(INSIDE) == pyfuncitem.nodeid:
        return None  # as any other test
    options = [f"--{name}={value}" for name, value in lab.kwargs.items()]
    itself = [sys.executable, "-m", "pytest", "--rootdir", pyfuncitem.config.rootpath, "-p", "no:cacheprovider"]
    test = f"{pyfuncitem.path}::{pyfuncitem.nodeid.split('::', 1)[1]}"
    inside = subprocess.run(
        [ROADBLOCK, "exec", *options, lab.args[0], "--", *itself, test],
        env={**os.environ, INSIDE: pyfuncitem.nodeid},
        capture_output=True,
        text=True,
    )
    # The last line on stderr says what was blocked, and by which rule.
    print(inside.stdout + inside.stderr)
    if inside.returncode != 0:
        pytest.fail(f"it failed in {lab.args[0]} {' '.join(options)}", pytrace=False)
    return True
