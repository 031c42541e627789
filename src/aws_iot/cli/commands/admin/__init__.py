"""`aws-iot admin`."""
