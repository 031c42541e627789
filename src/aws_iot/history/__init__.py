"""History: the messages that this machine has sent and received, for one profile and identity.

- Whose: `owners.py` knows the users of a profile.
- Save: `Recorder` in `recorder.py`, on the file that `history_file` in `file/schema.py` names.
- Read: `History`, `Filter` and `Entry` in `store.py`; `Replay` in `replay.py` continues with live messages.
- Search: `parse_search` and `search` in `search.py`; times as people write them are in `times.py`.
- Look after it: `maintenance.py` deletes and limits, `repair.py` checks, `transfer.py` exports and imports.
"""
