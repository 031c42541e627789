"""What a person sets up once: profiles, exports files, secrets, and the folders that they are saved in."""
