"""`aws-iot doctor`: find out why something does not work, one check at a time."""
