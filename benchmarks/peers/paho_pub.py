"""The same with paho-mqtt."""

import json
import sys
from pathlib import Path

import paho.mqtt.client as mqtt

port, topic, file = sys.argv[1:]
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, transport="websockets", protocol=mqtt.MQTTv5)
client.max_inflight_messages_set(100)
client.connect("127.0.0.1", int(port))
client.loop_start()
with Path(file).open() as lines:
    for line in lines:
        payload = json.dumps({"msg": line.rstrip("\n")}, separators=(",", ":"))
        sent = client.publish(topic, payload, qos=1)
sent.wait_for_publish()
client.disconnect()
client.loop_stop()
