"""Saving: what a program receives or sends, without waiting; and whose history it is."""
