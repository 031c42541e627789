"""AWS IoT Core: one MQTT 5 connection over a signed WebSocket."""
