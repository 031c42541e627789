"""What every `Probes` finds when all is well. What the real ones find otherwise is in `tests/local/test_doctor.py`."""

from collections.abc import Callable

import pytest

from aws_iot.doctor.probes import CheckResult, Probes
from tests.contracts.conftest import World

PROBES: dict[str, Callable[[Probes], CheckResult]] = {
    "names": lambda probes: probes.names(),
    "proxies": lambda probes: probes.proxies(),
    "certificates": lambda probes: probes.certificates(),
    "clock": lambda probes: probes.clock(),
    "user pool": lambda probes: probes.user_pool(None),
    "user pool of somebody": lambda probes: probes.user_pool("somebody"),
}


@pytest.mark.parametrize("probe", PROBES.values(), ids=PROBES)
def test_a_probe_reports_that_all_is_well(world: World, probe: Callable[[Probes], CheckResult]) -> None:
    result = probe(world.probes)
    assert result.text
    assert result.advice == ""


def test_the_upgrade_of_a_member_succeeds_and_prints_no_secret(world: World, username: str) -> None:
    world.account(username)
    credentials = world.credentials(username)
    world.services.accept(credentials.identity)
    result = world.probes.upgrade(credentials)
    assert result.text
    for secret in (credentials.secret_access_key, credentials.session_token):
        assert secret not in f"{result.text}{result.advice}"
