"""Rooms and messages: topics, the wire format, and what a connection to the broker promises."""
