"""The limits of the system, on systems that have them, have none, or do not know them."""

from dataclasses import dataclass, field

import pytest

from aws_iot.errors import LocalError
from aws_iot.limits import file_size_limit, need_open_files


@dataclass
class FakeResource:
    """Python's module `resource`, with limits of its own."""

    limits: dict[int, tuple[int, int]] = field(default_factory=dict)
    RLIMIT_FSIZE = 1
    RLIMIT_NOFILE = 7
    RLIM_INFINITY = -1

    def getrlimit(self, which: int) -> tuple[int, int]:
        return self.limits[which]

    def setrlimit(self, which: int, limits: tuple[int, int]) -> None:
        self.limits[which] = limits


def of_open_files(now: int, most: int) -> FakeResource:
    return FakeResource({FakeResource.RLIMIT_NOFILE: (now, most)})


def test_without_limits_as_on_windows_nothing_is_limited() -> None:
    need_open_files(10_000, lambda: None)
    assert file_size_limit(lambda: None) is None


@pytest.mark.parametrize("most", [100_000, FakeResource.RLIM_INFINITY])
def test_the_limit_of_open_files_is_raised_as_far_as_needed(most: int) -> None:
    system = of_open_files(256, most)  # as on macOS
    need_open_files(1000, lambda: system)
    now, still = system.limits[FakeResource.RLIMIT_NOFILE]
    assert 1000 < now < 100_000
    assert still == most


def test_a_limit_that_suffices_stays() -> None:
    for limits in ((50_000, 50_000), (FakeResource.RLIM_INFINITY, FakeResource.RLIM_INFINITY)):
        system = of_open_files(*limits)
        need_open_files(1000, lambda: system)  # noqa: B023 it is called at once
        assert system.limits[FakeResource.RLIMIT_NOFILE] == limits


def test_a_limit_that_cannot_be_raised_is_an_error() -> None:
    with pytest.raises(LocalError, match=r"1000 connections need up to .* the limit is 256"):
        need_open_files(1000, lambda: of_open_files(256, 256))


def test_the_size_of_a_file_may_be_limited() -> None:
    def limited(to: int) -> FakeResource:
        return FakeResource({FakeResource.RLIMIT_FSIZE: (to, FakeResource.RLIM_INFINITY)})

    assert file_size_limit(lambda: limited(1_000_000)) == 1_000_000
    assert file_size_limit(lambda: limited(FakeResource.RLIM_INFINITY)) is None
