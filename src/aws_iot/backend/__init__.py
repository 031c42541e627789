"""A team's AWS resources: one CloudFormation template, and how it is deployed, updated and deleted."""
