"""`aws-iot history`."""
