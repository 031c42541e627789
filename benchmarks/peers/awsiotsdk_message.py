"""The same in the style of awsiotsdk's own sample, `mqtt5_aws_websocket.py`: its builder signs, with its defaults."""

import json
import sys
from concurrent.futures import Future

from awscrt import auth, mqtt5
from awsiot import mqtt5_client_builder

with open(sys.argv[1]) as file:  # noqa: PTH123 as small as can be
    given = json.load(file)
connected: Future = Future()
stopped: Future = Future()
client = mqtt5_client_builder.websockets_with_default_aws_signing(
    region=given["region"],
    credentials_provider=auth.AwsCredentialsProvider.new_static(given["id"], given["secret"], given["token"]),
    endpoint=given["host"],
    port=given["port"],
    ca_filepath=given["ca"],
    client_id=given["identity"] + "-bench",
    on_lifecycle_connection_success=connected.set_result,
    on_lifecycle_stopped=stopped.set_result,
)
client.start()
connected.result(10)
packet = mqtt5.PublishPacket(topic=given["topic"], payload=b'{"msg":"hello"}', qos=mqtt5.QoS.AT_LEAST_ONCE)
assert client.publish(packet).result(10).puback.reason_code == 0
client.stop(mqtt5.DisconnectPacket())
stopped.result(10)
