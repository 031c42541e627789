"""Reducers: what each event changes, by subject. `reducer.py` has the table of all."""
