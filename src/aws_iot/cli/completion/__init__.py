"""What shells complete, and how PowerShell asks for it."""
