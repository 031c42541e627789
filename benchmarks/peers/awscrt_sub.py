"""The least with awscrt: writes the payloads of so many messages."""

import sys
import threading
from concurrent.futures import Future

from awscrt import mqtt5

port, topic, count = sys.argv[1:]
left = int(count)
done = threading.Event()
stopped: Future = Future()
write = sys.stdout.buffer.write


def on_publish(data: mqtt5.PublishReceivedData) -> None:
    global left
    if left:
        write(data.publish_packet.payload + b"\n")
        left -= 1
        if not left:
            done.set()


client = mqtt5.Client(
    mqtt5.ClientOptions(
        host_name="127.0.0.1",
        port=int(port),
        websocket_handshake_transform=lambda transform_args: transform_args.set_done(),
        connect_options=mqtt5.ConnectPacket(client_id="bare-sub", receive_maximum=100),
        on_publish_callback_fn=on_publish,
        on_lifecycle_event_stopped_fn=stopped.set_result,
    )
)
client.start()
client.subscribe(mqtt5.SubscribePacket([mqtt5.Subscription(topic, mqtt5.QoS.AT_LEAST_ONCE)])).result(10)
done.wait()
sys.stdout.buffer.flush()
client.stop(mqtt5.DisconnectPacket())
stopped.result(10)
