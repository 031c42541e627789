"""The least with awscrt: each line of a file, QoS 1, a hundred unacknowledged at most."""

import json
import sys
import threading
from concurrent.futures import Future
from pathlib import Path

from awscrt import mqtt5

port, topic, file = sys.argv[1:]
window = threading.Semaphore(100)
stopped: Future = Future()
client = mqtt5.Client(
    mqtt5.ClientOptions(
        host_name="127.0.0.1",
        port=int(port),
        websocket_handshake_transform=lambda transform_args: transform_args.set_done(),
        connect_options=mqtt5.ConnectPacket(client_id="bare"),
        on_lifecycle_event_stopped_fn=stopped.set_result,
    )
)
client.start()
with Path(file).open() as lines:
    for line in lines:
        payload = json.dumps({"msg": line.rstrip("\n")}, separators=(",", ":")).encode()
        window.acquire()
        sent = client.publish(mqtt5.PublishPacket(topic=topic, payload=payload, qos=mqtt5.QoS.AT_LEAST_ONCE))
        sent.add_done_callback(lambda _: window.release())
for _ in range(100):
    window.acquire()
client.stop(mqtt5.DisconnectPacket())
stopped.result(10)
