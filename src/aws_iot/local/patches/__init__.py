"""Corrections of the local stack's engine: what AWS does and the engine does not."""
