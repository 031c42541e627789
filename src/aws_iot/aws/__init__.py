"""AWS itself: the only importer of boto3, pycognito and awscrt.

Nothing above this package sees an exception or a type of those libraries.
"""
