"""`aws-iot doctor`."""
