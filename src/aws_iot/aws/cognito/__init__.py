"""Amazon Cognito: accounts of a user pool, credentials of an identity pool."""
