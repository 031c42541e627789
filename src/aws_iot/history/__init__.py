"""History: the messages that this machine has sent and received, for one profile and identity.

- Whose: `saving/owners.py` knows the users of a profile, and their files.
- Save: `Recorder` in `saving/`, for the file that `history_file` names. It appends to a `Journal`, which a `Sorter`
  sorts into the database in `file/`.
- Read: `History`, `Filter` and `Entry` in `store.py`; `Replay` in `replay.py` continues with live messages.
- Search: `parse_search` and `search` in `search.py`; times as people write them are in `times.py`.
- Look after it: `upkeep/` deletes, limits, checks, repairs, exports and imports.
"""
