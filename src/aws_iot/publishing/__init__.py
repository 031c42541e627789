"""Sending many messages: pacing, checkpoints and the spool."""
