"""What an administrator does in an AWS account: members, policies, the CloudFormation stack."""
