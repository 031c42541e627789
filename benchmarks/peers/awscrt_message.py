"""The smallest awscrt script: connects with given keys, publishes one message, waits for its PUBACK, and ends."""

import json
import sys
from concurrent.futures import Future

from awscrt import auth, io, mqtt5

with open(sys.argv[1]) as file:  # noqa: PTH123 as small as can be
    given = json.load(file)
tls = io.TlsContextOptions()
tls.override_default_trust_store_from_path(None, given["ca"])
provider = auth.AwsCredentialsProvider.new_static(given["id"], given["secret"], given["token"])


def sign(transform_args: mqtt5.WebsocketHandshakeTransformArgs) -> None:
    config = auth.AwsSigningConfig(
        algorithm=auth.AwsSigningAlgorithm.V4,
        signature_type=auth.AwsSignatureType.HTTP_REQUEST_QUERY_PARAMS,
        credentials_provider=provider,
        region=given["region"],
        service="iotdevicegateway",
        omit_session_token=True,
    )
    signed = auth.aws_sign_request(transform_args.http_request, config)
    signed.add_done_callback(lambda done: transform_args.set_done(done.exception()))


stopped: Future = Future()
client = mqtt5.Client(
    mqtt5.ClientOptions(
        host_name=given["host"],
        port=given["port"],
        tls_ctx=io.ClientTlsContext(tls),
        websocket_handshake_transform=sign,
        connect_options=mqtt5.ConnectPacket(client_id=given["identity"] + "-bench"),
        on_lifecycle_event_stopped_fn=stopped.set_result,
    )
)
client.start()
packet = mqtt5.PublishPacket(topic=given["topic"], payload=b'{"msg":"hello"}', qos=mqtt5.QoS.AT_LEAST_ONCE)
assert client.publish(packet).result(10).puback.reason_code == 0
client.stop(mqtt5.DisconnectPacket())
stopped.result(10)
