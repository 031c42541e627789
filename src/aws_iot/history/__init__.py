"""History: the messages that this machine has sent and received, for one profile and identity."""
