"""What every command uses to talk to a person: output, prompts, progress, formatting."""
