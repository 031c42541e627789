"""`aws-iot backend`."""
