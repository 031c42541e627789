"""`aws-iot config`."""
