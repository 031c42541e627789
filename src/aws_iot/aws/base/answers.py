"""Answers of AWS services: whether they are the service's own, and complete.

A captive portal, a proxy or a wrong address answers, too, often with HTTP 200 and a web page. To botocore, what is not
JSON is an answer without fields. Many calls report success by such an answer.
"""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from botocore.exceptions import BotoCoreError, HTTPClientError
from botocore.model import OperationModel
from botocore.parsers import create_parser

from aws_iot.aws.base.network_errors import ForeignAnswer
from aws_iot.errors import Unreachable

EVENT = "before-parse.*.*"
"""botocore's event before it reads an answer."""


class Reply(dict[str, Any]):
    """An answer, in which a missing field is an error of the service, and not of this program."""

    def __init__(self, answer: Mapping[str, Any], source: str) -> None:
        """`source` is what answered, in words."""
        super().__init__({name: _checked(value, source) for name, value in answer.items()})
        self._source = source

    def __missing__(self, name: str) -> Any:
        raise Unreachable(f"cannot use the answer of {self._source}: it has no {name}")


def _checked(value: Any, source: str) -> Any:
    if isinstance(value, dict):
        return Reply(value, source)
    return [_checked(one, source) for one in value] if isinstance(value, list) else value


def check_answer(operation_model: OperationModel, response_dict: Mapping[str, Any], **_: Any) -> None:
    """A handler of `EVENT`. Raises `HTTPClientError` with a `ForeignAnswer` unless the service itself answered."""
    status, headers, body = (response_dict[name] for name in ("status_code", "headers", "body"))
    if not (_is_from_aws(headers) and _is_readable(operation_model, response_dict)):
        foreign = ForeignAnswer(status, headers.get("content-type"), headers.get("location"), not body)
        raise HTTPClientError(error=foreign)


def _is_from_aws(headers: Mapping[str, str]) -> bool:
    """Every AWS service gives its answers an ID; what stands before it may only name the error."""
    if headers.get("content-type", "").startswith("application/x-amz-json"):
        return True
    return any(name.lower().startswith("x-amzn-") for name in headers)


def _is_readable(operation: OperationModel, response: Mapping[str, Any]) -> bool:
    protocol, body = operation.service_model.resolved_protocol, response["body"]
    try:
        if "json" in protocol and (body or (protocol == "json" and operation.output_shape)):
            json.loads(body).items()
        if response["status_code"] < HTTPStatus.MULTIPLE_CHOICES:
            create_parser(protocol).parse(response, operation.output_shape)
    except (BotoCoreError, AttributeError, LookupError, TypeError, ValueError, RecursionError):
        return False
    return True
