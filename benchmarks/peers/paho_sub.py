"""The same with paho-mqtt."""

import sys

import paho.mqtt.client as mqtt

port, topic, count = sys.argv[1:]
left = int(count)


def on_message(client: mqtt.Client, _: object, message: mqtt.MQTTMessage) -> None:
    global left
    if left:
        sys.stdout.buffer.write(message.payload + b"\n")
        left -= 1
        if not left:
            client.disconnect()


client = mqtt.Client(
    mqtt.CallbackAPIVersion.VERSION2, client_id="paho-sub", transport="websockets", protocol=mqtt.MQTTv5
)
client.on_message = on_message
client.on_connect = lambda client, *_: client.subscribe(topic, 1)
client.connect("127.0.0.1", int(port))
client.loop_forever()
