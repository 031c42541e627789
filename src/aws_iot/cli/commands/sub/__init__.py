"""`aws-iot sub`."""
