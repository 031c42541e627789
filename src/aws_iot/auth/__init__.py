"""Signing in: accounts, sessions, AWS credentials, and how they are saved and refreshed."""
