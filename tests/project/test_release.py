"""`make release-check` finds what must not be released. The checks of whole packages run there, not here."""

import json
import re
import tomllib

import pytest
from packaging.requirements import Requirement

from tools.name_version import with_version
from tools.release_check import (
    REPOSITORY,
    SOURCE,
    Failed,
    check_changelog,
    check_contents,
    check_readme,
    check_source,
    check_tag,
    version_of,
)

CHANGELOG = """\
# Changelog

## Unreleased

- News.

## 1.0.0 (2026-11-27)

### Part

- First.

## 0.9.0

Nothing.
"""


def test_a_version_is_that_of_a_release() -> None:
    assert version_of('"""Doc."""\n\n__version__ = "1.2.0rc1"\n') == "1.2.0rc1"
    for wrong in ('__version__ = "1.2.dev0"', '__version__ = "1"', "version = 1"):
        with pytest.raises(Failed):
            version_of(wrong)


def test_a_tag_must_be_of_the_version() -> None:
    check_tag("1.0.0", "")
    check_tag("1.0.0", "v1.0.0")
    with pytest.raises(Failed, match=r"the tag is v1\.0\.1"):
        check_tag("1.0.0", "v1.0.1")


def test_a_release_needs_its_own_section_of_the_changelog() -> None:
    check_changelog(CHANGELOG, "1.0.0", "v1.0.0")
    check_changelog(CHANGELOG, "1.1.0", "")  # not released yet
    for version in ("1.1.0", "0.9.0"):
        with pytest.raises(Failed, match="no section"):
            check_changelog(CHANGELOG, version, f"v{version}")


def test_a_release_names_the_repository_that_publishes_it() -> None:
    check_source({}, "", "")  # not released yet
    check_source({"Source": "https://example.com/us/it"}, "v1.0.0", "")
    check_source({"Source": "https://example.com/us/it"}, "v1.0.0", "https://example.com/us/it")
    with pytest.raises(Failed, match="no Source"):
        check_source({}, "v1.0.0", "")
    with pytest.raises(Failed, match="made by https://"):
        check_source({"Source": "https://example.com/us/it"}, "v1.0.0", "https://example.com/others/it")


def test_a_file_too_many_or_too_few_is_found() -> None:
    with pytest.raises(Failed, match=r"lacks \['aws_iot/__init__\.py'.*should not have \['tests/x\.py'\]"):
        check_contents({"tests/x.py"}, set(), "1.0.0")
    assert (SOURCE / "aws_iot" / "py.typed").is_file()


def test_a_link_that_works_only_in_the_repository_is_found() -> None:
    check_readme("[a](https://example.com) [b](#part)")
    with pytest.raises(Failed, match=r"docs/x\.md"):
        check_readme("[a](docs/x.md#part)")


@pytest.mark.parametrize("name", ["dev", "docs", "benchmark", "aws-cli", "release"])
def test_each_locked_package_has_hashes_and_no_address(name: str) -> None:
    text = (REPOSITORY / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    assert "://" not in text
    entries = [
        one for one in text.replace("\\\n", " ").splitlines() if one and not one.lstrip().startswith("#")
    ]
    assert entries
    assert [one for one in entries if "==" not in one or "--hash=sha256:" not in one] == []


@pytest.mark.parametrize("name", ["dev", "docs", "benchmark"])
def test_the_locked_versions_are_those_that_the_project_asks_for(name: str) -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    asked = [*project["dependencies"], *extras[name], *(extras["local"] if name == "dev" else ())]
    lines = (REPOSITORY / "requirements" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    locked = dict(re.split("==| ", line)[:2] for line in lines if re.match(r"\w[^ ]*==", line))
    wanted = [Requirement(one) for one in asked if not one.startswith("aws-iot-cli[")]
    wrong = [str(one) for one in wanted if one.name not in locked or locked[one.name] not in one.specifier]
    assert wrong == [], "run `make lock`"


def test_the_list_of_parts_names_the_version_that_it_is_for() -> None:
    bom = {"metadata": {"component": {"name": "aws-iot-cli"}}, "components": [{"name": "click"}]}
    named = json.loads(with_version(json.dumps(bom), "1.2.0"))
    assert named.pop("metadata") == {"component": {"name": "aws-iot-cli", "version": "1.2.0"}}
    assert named == {"components": [{"name": "click"}]}


WORKFLOWS = sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))


def test_workflows_call_the_targets_of_the_makefile() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    called = {
        name for one in WORKFLOWS for name in re.findall(r"make ([a-z-]+)", one.read_text(encoding="utf-8"))
    }
    assert {"check", "demo", "test", "test-packages", "release-check", "sbom"} <= called <= targets


def test_actions_are_pinned_to_commits() -> None:
    used = [use for one in WORKFLOWS for use in re.findall(r"uses: (.*)", one.read_text(encoding="utf-8"))]
    assert used
    assert [use for use in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use)] == []
