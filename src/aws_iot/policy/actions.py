"""What a client does in a room, as options and policies name it. Options need no more than this."""

ACTIONS = {
    "connect": "iot:Connect",
    "subscribe": "iot:Subscribe",
    "receive": "iot:Receive",
    "publish": "iot:Publish",
    "retain": "iot:RetainPublish",
}
"""The actions in the order in which a client performs them; `sub` and `pub` always need all but the last."""

ROOM = "doctor"
"""The room for test messages if none is named: no member listens there."""
