"""paho-mqtt on the local stack: a client whose version of MQTT and acknowledgements a test controls."""

import hashlib
import hmac
from datetime import UTC, datetime
from urllib.parse import quote

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties

from aws_iot.auth.credentials import Credentials
from tests.processes import Stack
from tests.waiting import wait_until


def signed_target(credentials: Credentials, host: str, **changed: str) -> str:
    """The path and query of a signed WebSocket, as the npm tool makes it: only `host` is signed.

    `changed` replaces or adds parameters, or removes one if it is empty. The signature is always right for the rest.
    """
    date = changed.pop("Date", f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    region, service = changed.pop("Region", "us-east-1"), changed.pop("Service", "iotdevicegateway")
    scope = f"{date[:8]}/{region}/{service}/aws4_request"
    query = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{credentials.access_key_id}/{scope}",
        "X-Amz-Date": date,
        "X-Amz-SignedHeaders": "host",
    }
    token = changed.pop("Token", credentials.session_token)
    query = {
        f"X-Amz-{name}" if name == "Expires" else name: value for name, value in (query | changed).items()
    }
    canonical = "&".join(f"{name}={quote(value, safe='')}" for name, value in sorted(query.items()))
    empty = hashlib.sha256().hexdigest()
    request = f"GET\n/mqtt\n{canonical}\nhost:{host}\n\nhost\n{empty}"
    text = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{credentials.secret_access_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    signature = hmac.digest(key, text.encode(), hashlib.sha256).hex()
    with_token = f"&X-Amz-Security-Token={quote(token, safe='')}" if token else ""
    return f"/mqtt?{canonical}&X-Amz-Signature={signature}{with_token}"


class PahoClient:
    """A client over WebSocket. It connects with `connect`, once."""

    def __init__(
        self,
        stack: Stack,
        credentials: Credentials,
        protocol: MQTTProtocolVersion,
        client_id: str,
        *,
        acknowledges: bool = True,
        is_durable: bool = False,
    ) -> None:
        """If it does not acknowledge, a test does that: `acknowledge`. A durable one has a durable session."""
        self._stack, self._credentials, self._is_durable = stack, credentials, is_durable
        self.client_id = client_id
        self.messages: list[mqtt.MQTTMessage] = []
        self.connected: list[bool] = []
        self.granted: list[int] = []
        self.acknowledged: list[int] = []
        self.lost: list[int] = []
        """Reason codes of lost connections."""
        is_mqtt_5 = protocol == MQTTProtocolVersion.MQTTv5
        self.mqtt = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id,
            clean_session=None if is_mqtt_5 else not is_durable,
            protocol=protocol,
            transport="websockets",
            manual_ack=not acknowledges,
        )
        self.mqtt.tls_set(stack.profile.ca_bundle)
        self.mqtt.on_connect = lambda _c, _u, _f, reason, _p: self.connected.append(not reason.is_failure)
        self.mqtt.on_disconnect = self._on_lost
        self.mqtt.on_message = lambda _c, _u, message: self.messages.append(message)
        self.mqtt.on_subscribe = lambda _c, _u, _m, reasons, _p: self.granted.extend(r.value for r in reasons)
        self.mqtt.on_publish = lambda _c, _u, number, _r, _p: self.acknowledged.append(number)

    @property
    def is_lost(self) -> bool:
        return bool(self.lost)

    @property
    def payloads(self) -> list[bytes]:
        """What it has received."""
        return [bytes(message.payload) for message in self.messages]

    def connect(self, properties: Properties | None = None) -> None:
        """Connect, and fail if that is rejected."""
        endpoint = self._stack.profile.endpoint
        host = f"{endpoint.host}:{endpoint.port}"
        self.mqtt.ws_set_options(path=signed_target(self._credentials, host))
        self.connected.clear()
        self.lost.clear()
        # For MQTT 3, `clean_session` above says whether to start anew.
        clean = False if properties and self._is_durable else mqtt.MQTT_CLEAN_START_FIRST_ONLY
        self.mqtt.connect(endpoint.host, endpoint.port, clean_start=clean, properties=properties)
        self.mqtt.loop_start()
        wait_until(lambda: bool(self.connected or self.lost))
        assert self.connected == [True]

    def subscribe(self, topic: str, qos: int = 1) -> None:
        """Subscribe, and return when that is granted."""
        self.mqtt.subscribe(topic, qos=qos)
        wait_until(lambda: self.granted == [qos])

    def acknowledge(self, messages: list[mqtt.MQTTMessage]) -> None:
        for message in messages:
            self.mqtt.ack(message.mid, message.qos)

    def close(self) -> None:
        self.mqtt.disconnect()
        self.mqtt.loop_stop()

    def _on_lost(self, *arguments: object) -> None:
        self.lost.append(getattr(arguments[3], "value", 0))
        self.mqtt.disconnect()  # or it would connect again
