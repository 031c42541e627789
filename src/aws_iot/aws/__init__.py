"""AWS itself: the only importer of boto3, botocore, pycognito, awscrt and awsiot."""
