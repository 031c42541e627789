"""What the Tab key offers. Click is not loaded for it: each key press would wait for that."""
