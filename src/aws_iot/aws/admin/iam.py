"""An administrator of an AWS account, with keys of its own."""

from aws_iot.aws.base.admin_credentials import AccessKeys
from aws_iot.aws.base.calls import Service

_EVERYTHING = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'


def make_administrator(service: Service, name: str) -> AccessKeys:
    """A new user who may do everything. For the local stack: nobody should need one on AWS."""
    service.call("create_user", {}, UserName=name)
    service.call("put_user_policy", {}, UserName=name, PolicyName="everything", PolicyDocument=_EVERYTHING)
    key = service.call("create_access_key", {}, UserName=name)["AccessKey"]
    return AccessKeys(key["AccessKeyId"], key["SecretAccessKey"])
