"""Actions: what the table of `chat/entry/keys.py` names, by subject. Each is a method `do_<name>`."""
