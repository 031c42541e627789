"""`aws-iot help`: the help of commands, and topics that belong to no single command."""
