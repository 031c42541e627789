"""AWS itself: the only importer of botocore, pycognito and awscrt.

Nothing above this package sees an exception or a type of those libraries.
"""
