"""`aws-iot policy`: explain what policies allow an identity."""
