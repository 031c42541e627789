"""History: the messages that this machine has sent and received, for one profile and identity.

- Whose: `owners.py` knows the users of a profile, and their files.
- Save: `Recorder` in `recorder.py`, for the file that `history_file` in `owners.py` names. It appends to a `Journal`,
  which a `Sorter` sorts into the database.
- Read: `History`, `Filter` and `Entry` in `store.py`; `Replay` in `replay.py` continues with live messages.
- Search: `parse_search` and `search` in `search.py`; times as people write them are in `times.py`.
- Look after it: `maintenance.py` deletes and limits, `repair.py` checks, `transfer.py` exports and imports.
"""
