"""Amazon Cognito: user pools have accounts, identity pools give AWS credentials."""
