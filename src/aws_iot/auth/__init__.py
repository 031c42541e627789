"""Who you are: sessions, AWS credentials, and how to sign in."""
