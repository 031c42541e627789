"""The chat line by line, for screen readers and simple terminals. It imports no Textual."""
