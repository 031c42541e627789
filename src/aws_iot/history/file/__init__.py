"""The file of a history: its tables, and how messages get into them."""
