"""The table of AWS's partitions, compared with botocore's."""

import json
import re
from pathlib import Path

import botocore
import pytest

from aws_iot.config.partitions import PARTITIONS, iot_arn, is_aws_host, partition_of, region_of_iot_host

KNOWN = {
    one["id"]: one
    for one in json.loads(
        (Path(botocore.__file__).parent / "data" / "partitions.json").read_text(encoding="utf-8")
    )["partitions"]
}


@pytest.mark.parametrize("partition", PARTITIONS)
def test_the_table_agrees_with_botocore(partition: tuple[str, str, str, str]) -> None:
    name, _, dns_suffix, dual_stack_suffix = partition
    outputs = KNOWN[name]["outputs"]
    assert (dns_suffix, dual_stack_suffix) == (outputs["dnsSuffix"], outputs["dualStackDnsSuffix"])


def test_no_partition_that_botocore_knows_is_missing() -> None:
    assert {partition.name for partition in PARTITIONS} == set(KNOWN)


@pytest.mark.parametrize("name", [partition.name for partition in PARTITIONS])
def test_the_prefix_finds_the_partition_of_every_region_that_botocore_knows(name: str) -> None:
    regions = [one for one in KNOWN[name]["regions"] if re.match(KNOWN[name]["regionRegex"], one)]
    assert regions
    assert {partition_of(region).name for region in regions} == {name}


def test_an_arn_names_the_partition() -> None:
    assert (
        iot_arn("cn-north-1", "123456789012", "topic/a") == "arn:aws-cn:iot:cn-north-1:123456789012:topic/a"
    )


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("abc-ats.iot.us-east-1.amazonaws.com", "us-east-1"),
        ("abc.iot.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("abc.ats.iot.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("abc-ats.iot.us-east-1.api.aws", "us-east-1"),
        ("abc-ats.iot.us-east-1.amazonaws.com.example", None),
        ("ABC-ats.iot.eu-west-1.amazonaws.com.", "eu-west-1"),
        ("data.iot-fips.us-east-1.amazonaws.com", "us-east-1"),
        ("abc.data.iot-fips.us-gov-east-1.amazonaws.com", "us-gov-east-1"),
        ("data.iot-fips.ca-central-1.api.aws", "ca-central-1"),
        ("vpce-0a1b2c3d.data.iot.eu-west-1.vpce.amazonaws.com", "eu-west-1"),
        ("abc-ats.iot.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"),
        ("abc.ats.iot.cn-northwest-1.api.amazonwebservices.com.cn", "cn-northwest-1"),
        ("iot.us-east-1.amazonaws.com", "us-east-1"),
        ("abc-ats.notiot.us-east-1.amazonaws.com", None),
        ("iot.example", None),
        ("127.0.0.1", None),
    ],
)
def test_the_host_of_a_broker_names_its_region(host: str, region: str | None) -> None:
    assert region_of_iot_host(host) == region


def test_hosts_of_aws_are_told_from_others() -> None:
    assert is_aws_host("cognito-idp.eusc-de-east-1.amazonaws.eu")
    assert not is_aws_host("amazonaws.com.example")
    assert not is_aws_host("127.0.0.1")
