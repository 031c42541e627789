"""What IAM and IoT policies allow an identity, which statement decides it, and what to change after a refusal."""
