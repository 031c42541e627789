"""Text as the chat writes it: harmless, and as wide as the chat believes."""
