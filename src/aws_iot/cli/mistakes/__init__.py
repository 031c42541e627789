"""Mistakes on the command line: what is wrong, and the line that was probably meant."""
