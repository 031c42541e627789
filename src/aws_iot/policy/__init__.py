"""IAM and IoT policies: what they allow, and which statement decides."""
