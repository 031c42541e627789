"""`aws-iot completion`: completion scripts of shells, printed or installed."""
