"""Patches of the broker: what AWS IoT Core does with connections, and ministack does not."""
