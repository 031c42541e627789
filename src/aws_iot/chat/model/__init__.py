"""The chat as data: its state, the events that change it, and the effects that follow. Standard library only."""
