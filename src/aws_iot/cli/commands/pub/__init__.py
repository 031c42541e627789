"""`aws-iot pub`."""
