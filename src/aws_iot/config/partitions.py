"""Partitions: the separate parts of AWS, with their regions, domains and ARNs."""

import re
from typing import NamedTuple


class Partition(NamedTuple):
    """One partition. Its regions begin with `region_prefix`; `""` stands for all regions of no other partition."""

    name: str
    region_prefix: str
    dns_suffix: str
    dual_stack_suffix: str


# All of botocore's data/partitions.json. A test compares them.
PARTITIONS = (
    Partition("aws-cn", "cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn"),
    Partition("aws-us-gov", "us-gov-", "amazonaws.com", "api.aws"),
    Partition("aws-eusc", "eusc-", "amazonaws.eu", "api.amazonwebservices.eu"),
    Partition("aws-iso", "us-iso-", "c2s.ic.gov", "api.aws.ic.gov"),
    Partition("aws-iso-b", "us-isob-", "sc2s.sgov.gov", "api.aws.scloud"),
    Partition("aws-iso-e", "eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"),
    Partition("aws-iso-f", "us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov"),
    Partition("aws", "", "amazonaws.com", "api.aws"),
)

_DOMAINS = tuple({f".{suffix}" for p in PARTITIONS for suffix in (p.dns_suffix, p.dual_stack_suffix)})


def partition_of(region: str) -> Partition:
    """The partition of a region."""
    return next(one for one in PARTITIONS if region.startswith(one.region_prefix))


def iot_arn(region: str, account: str, resource: str) -> str:
    """The ARN of an AWS IoT resource, such as `topic/…`."""
    return f"arn:{partition_of(region).name}:iot:{region}:{account}:{resource}"


def is_aws_host(host: str) -> bool:
    """Whether a host name is in a domain of AWS."""
    return host.endswith(_DOMAINS)


def region_of_iot_host(host: str) -> str | None:
    """The region in `<prefix>[-ats].iot.<region>.amazonaws.com`; None for another host.

    Also of FIPS (`data.iot-fips.…`), of dual-stack (`….api.aws`), of an interface endpoint (`….vpce.amazonaws.com`),
    and of other partitions: docs.aws.amazon.com/iot/latest/developerguide/iot-connect-devices.html,
    aws.amazon.com/compliance/fips, docs.aws.amazon.com/iot/latest/developerguide/IoTCore-VPC.html.
    """
    found = re.search(r"(?:^|\.)iot(?:-fips)?\.([a-z0-9-]+)(?:\.vpce)?(\..+)$", host.lower().rstrip("."))
    return found[1] if found and found[2] in _DOMAINS else None
