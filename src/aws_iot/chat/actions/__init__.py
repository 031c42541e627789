"""Actions: what the table of `chat/model/keys.py` names, by subject. Each is a method `do_<name>`."""
