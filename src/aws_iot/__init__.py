"""Chat rooms over AWS IoT Core: the public Python API, and the package behind the command `aws-iot`.

    import aws_iot

    with aws_iot.connect("default") as client:
        client.publish("lobby", "hello")
        for message in client.messages("lobby", timeout=30):
            print(message.sender, message.text)

To read the source, follow the data:

    profile → session → credentials → connection → room → message

You pick a profile, sign in, get temporary AWS credentials and open a connection. Then you send messages to
rooms and receive them. `app` builds the parts, `aws` and `local` are the outside world, and `cli` is the
command line.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aws_iot import errors as errors
    from aws_iot.api import Client as Client
    from aws_iot.api import connect as connect
    from aws_iot.api import publish_many as publish_many
    from aws_iot.config.profile import Profile as Profile
    from aws_iot.errors import AwsIotError as AwsIotError
    from aws_iot.errors import LocalError as LocalError
    from aws_iot.errors import NotAuthorized as NotAuthorized
    from aws_iot.errors import ProfileNotFound as ProfileNotFound
    from aws_iot.errors import ServiceRefused as ServiceRefused
    from aws_iot.errors import SignInRefused as SignInRefused
    from aws_iot.errors import Unreachable as Unreachable
    from aws_iot.messaging.connection import Lost as Lost
    from aws_iot.messaging.connection import Restored as Restored
    from aws_iot.messaging.deliveries import Delivery as Delivery
    from aws_iot.messaging.deliveries import Flush as Flush
    from aws_iot.messaging.message import Message as Message

__version__ = "0.1.0"

_MODULES = {
    "AwsIotError": "errors",
    "Client": "api",
    "Delivery": "messaging.deliveries",
    "Flush": "messaging.deliveries",
    "LocalError": "errors",
    "Lost": "messaging.connection",
    "Message": "messaging.message",
    "NotAuthorized": "errors",
    "Profile": "config.profile",
    "ProfileNotFound": "errors",
    "Restored": "messaging.connection",
    "ServiceRefused": "errors",
    "SignInRefused": "errors",
    "Unreachable": "errors",
    "connect": "api",
    "publish_many": "api",
}
"""The module of each public name. It is imported when the name is used, so that the command starts quickly."""

__all__ = ["__version__", "errors", *_MODULES]


def __getattr__(name: str) -> object:
    if name == "errors":
        return importlib.import_module("aws_iot.errors")
    if name not in _MODULES:
        raise AttributeError(f"module 'aws_iot' has no attribute '{name}'")
    return getattr(importlib.import_module(f"aws_iot.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
