"""The same with paho-mqtt."""

import sys

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

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
properties = Properties(PacketTypes.CONNECT)
properties.SessionExpiryInterval = 3600
client.connect("127.0.0.1", int(port), clean_start=False, properties=properties)
client.loop_forever()
