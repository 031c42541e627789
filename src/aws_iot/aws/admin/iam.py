"""The administrator of the local stack's account."""

from aws_iot.aws.base.admin_credentials import AccessKeys
from aws_iot.aws.base.calls import Service

_EVERYTHING = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'


def make_administrator(service: Service, name: str) -> AccessKeys:
    """Create an IAM user with all permissions. Only for the local stack; on AWS this would be dangerous."""
    service.call("create_user", {}, UserName=name)
    service.call("put_user_policy", {}, UserName=name, PolicyName="everything", PolicyDocument=_EVERYTHING)
    key = service.call("create_access_key", {}, UserName=name)["AccessKey"]
    return AccessKeys(key["AccessKeyId"], key["SecretAccessKey"])
