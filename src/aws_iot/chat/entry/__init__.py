"""What the person enters: keys and slash commands, their completion, and what was entered before."""
