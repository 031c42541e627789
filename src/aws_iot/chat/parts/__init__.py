"""What works for the chat on threads of its own: receiving, sending, and reading and writing files.

Each part has a thread, a queue of requests, and `tell`, which takes its events to the screen.
"""
