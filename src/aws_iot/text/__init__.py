"""Text that strangers have written, made harmless for a terminal: control characters, names, widths."""
