"""Upkeep: what looks after a history. It deletes, limits, checks, repairs, exports and imports."""
