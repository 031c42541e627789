"""What a person sets up once: profiles, exports files, secrets and where they are stored."""
