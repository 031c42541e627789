"""The engine of the local stack, ministack: its settings, the patches, and the gateway in front of it.

The engine reads its settings from the environment, most of them when it is imported. So it is imported only after
`configure`.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aws_iot.files import make_private, tighten
from aws_iot.local.server import HOST

if TYPE_CHECKING:
    from aws_iot.local.faults import Refusal

REGION = "us-east-1"
ACCOUNT = "000000000000"


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How to run the local stack. Faults and `keep` are for testers.

    A port of None is the usual one, or a free one if that is in use. Credentials expire after `credentials_seconds`,
    connections end after `link_seconds`; `refusal` is how the broker refuses a publish. With `keep`, the next start
    in the same folder has the same accounts, keys, ports and certificate authority.
    """

    api_port: int | None = None
    mqtt_port: int | None = None
    verbose: bool = False
    credentials_seconds: float | None = None
    link_seconds: float | None = None
    refusal: "Refusal" = "puback"
    keep: bool = False


def configure(api_port: int, root_key: str, settings: EngineSettings, state: Path) -> None:
    """Set the engine's environment variables. `root_key` will be the key ID of the account's root user.

    `state` is the folder for the engine's state if it is kept. The engine logs to stderr.
    """
    os.umask(0o077)  # the engine writes keys with the mode of the process
    os.environ.update(
        AUTH="true",
        GATEWAY_PORT=str(api_port),
        MINISTACK_HOST=HOST,
        MINISTACK_ACCOUNT_ID=ACCOUNT,
        MINISTACK_REGION=REGION,
        LOG_LEVEL="INFO" if settings.verbose else "CRITICAL",
        IOT_MTLS_ENABLED="false",
        SFTP_ENABLED="0",
        PERSIST_STATE="1" if settings.keep else "0",
        AWS_ACCESS_KEY_ID=root_key,  # otherwise the user's own AWS keys would be the root user's
        AWS_SECRET_ACCESS_KEY=root_key,
        AWS_CONFIG_FILE=os.devnull,  # botocore, which has the models of the services, would read the user's
    )
    os.environ.pop("AWS_SESSION_TOKEN", None)
    if settings.keep:
        make_private(state)
        tighten(state)
        os.environ["STATE_DIR"] = str(state)


def start(broker: str, root_key: str, settings: EngineSettings, *, restores: bool) -> Any:
    """Apply all patches, and return the ASGI application. `broker` is the address of the broker, as `host:port`.

    With `restores`, the services start with the state that was saved.
    """
    from aws_iot.local import engine_state, faults
    from aws_iot.local.gateway import Gateway
    from aws_iot.local.patches import (
        case_insensitive_names,
        email_aliases,
        identity_logins,
        identity_pages,
        iot_endpoint,
        number_parameters,
        request_constraints,
        srp_secrets,
        stack_descriptions,
        things,
    )
    from aws_iot.local.patches.broker import authorization, deliveries, sessions, versions

    for patch in (
        authorization,
        sessions,
        deliveries,
        versions,
        case_insensitive_names,
        email_aliases,
        identity_logins,
        identity_pages,
        number_parameters,
        request_constraints,
        srp_secrets,
        stack_descriptions,
        things,
    ):
        patch.apply()
    iot_endpoint.apply(broker)
    if settings.credentials_seconds is not None:
        faults.shorten_credentials(settings.credentials_seconds)
    if restores:
        engine_state.restore()
    return Gateway(
        ACCOUNT,
        REGION,
        root_key,
        faults.Faults(settings.link_seconds, settings.refusal),
        engine_state.save if settings.keep else None,
    )
