"""Clients of AWS services: without a signature, or signed with an admin's credentials."""

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, InvalidRegionError, NoRegionError
from botocore.loaders import Loader
from botocore.session import Session  # not boto3's, which also loads a downloader for S3

from aws_iot.aws.base.admin_credentials import AccessKeys
from aws_iot.aws.base.answers import EVENT, check_answer
from aws_iot.config.ca_bundle import find_ca_bundle
from aws_iot.config.endpoint import is_loopback
from aws_iot.errors import LocalError, ProfileError


@dataclass(frozen=True, slots=True)
class Address:
    """Where a service answers. If `url` is None, botocore chooses: AWS's address, or the one in `AWS_ENDPOINT_URL…`.

    If `region` is None, the AWS settings decide. Only signed calls read them.
    """

    service: str
    region: str | None
    url: str | None = None
    ca_bundle: str | None = None


def unsigned_client(address: Address, timeout: float) -> Any:
    """A client for calls that need no AWS credentials. It reads no file of AWS settings.

    `timeout` is in seconds. Raises `ProfileError` if botocore rejects the address.
    """
    return _client(_isolated_session(), address, timeout, signature=UNSIGNED)


def client_with_keys(
    address: Address, timeout: float, keys: AccessKeys, session: Session | None = None
) -> Any:
    """A client that signs with `keys`. With a `session`, it uses the other AWS settings of that session.

    Raises as `unsigned_client`, and `LocalError` if there is no region.
    """
    return _client(session or _isolated_session(), address, timeout, keys=keys)


def ca_bundle_of(client: Any) -> str | None:
    """The file of the authorities that a client trusts; None if it trusts those of botocore."""
    verify = client._endpoint.http_session._verify
    return verify if isinstance(verify, str) else None


class _Models(Loader):  # type: ignore[misc]  # botocore is not typed
    """Loads botocore's models. A service exists if it has a folder; botocore would look into each of the 400."""

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 botocore's signature
        folders = [path for path in map(Path, self.search_paths) if path.is_dir()]
        return [service.name for folder in folders for service in folder.iterdir()]


_ADDRESS_VARIABLES = (
    "region",
    "use_dualstack_endpoint",
    "use_fips_endpoint",
    "ignore_configured_endpoint_urls",
)
"""What may lead to other addresses of AWS, in botocore's words."""


@cache
def _isolated_session() -> Session:
    """A session that reads no files of AWS settings, and no variables except those of addresses.

    The others belong to other tools. A mistake in one, such as in `~/.aws/config` or AWS_DEFAULTS_MODE, fails even an
    UNSIGNED client. All clients share the session: to make one takes longer than to make a client.
    """
    nothing = (None, None, None, None)
    unread = {
        name: (None, None, default, convert)
        for name, (_, _, default, convert) in Session.SESSION_VARIABLES.items()
        if name not in _ADDRESS_VARIABLES
    }
    session = Session(
        session_vars={**unread, "profile": nothing, "config_file": nothing, "credentials_file": nothing},
    )
    # The variables of S3 are checked for all services.
    session.get_component("config_store").set_config_variable("s3", None)
    session.register_component("data_loader", _Models())
    session.register(EVENT, check_answer)
    return session


def _client(
    session: Session,
    address: Address,
    timeout: float,
    *,
    signature: Any = None,
    keys: AccessKeys | None = None,
) -> Any:
    def make(**more: Any) -> Any:
        config = Config(
            signature_version=signature,
            connect_timeout=timeout + 1,  # the deadline of the whole call strikes first
            read_timeout=timeout + 1,
            retries={"total_max_attempts": 1, "mode": "standard"},  # see `calls._attempts`
            user_agent_extra="aws-iot-cli",
            **more,
        )
        return session.create_client(
            address.service,
            region_name=region,
            endpoint_url=address.url,
            config=config,
            verify=find_ca_bundle(address.ca_bundle, session.get_config_variable("profile")),
            aws_access_key_id=keys.access_key_id if keys else None,
            aws_secret_access_key=keys.secret_access_key if keys else None,
            aws_session_token=keys.session_token if keys else None,
        )

    try:
        # botocore takes an empty AWS_DEFAULT_REGION for a region.
        region = address.region or session.get_config_variable("region")
        if not region:
            raise NoRegionError
        client = make()
        # Only the client knows its host: AWS_ENDPOINT_URL and ~/.aws/config can change it.
        is_local = is_loopback(urlsplit(client.meta.endpoint_url).hostname or "")
        # A proxy would look for 127.0.0.1 on its own machine.
        return make(proxies={}) if is_local and getproxies() else client
    except NoRegionError as error:
        raise LocalError(
            "this command needs an AWS region, and none is set",
            hint="Give --region, or set AWS_DEFAULT_REGION.",
        ) from error
    except InvalidRegionError as error:
        raise LocalError(
            f"'{region}' is not an AWS region",
            hint="Check --region, AWS_DEFAULT_REGION and ~/.aws/config, or the profile: aws-iot config show",
        ) from error
    except (BotoCoreError, ValueError) as error:
        raise ProfileError(f"{address.service} cannot be used: {error}", hint=_hint(address)) from error


def _hint(address: Address) -> str:
    variable = next((name for name in os.environ if name.startswith("AWS_ENDPOINT_URL")), None)
    return f"Check {variable}." if variable and not address.url else "Check the profile: aws-iot config show"
