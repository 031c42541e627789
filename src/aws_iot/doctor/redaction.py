"""Hide secrets in text that people may show to others."""

import json
import re
from collections.abc import Collection
from urllib.parse import quote

from aws_iot.auth.credentials import Credentials

HIDDEN = "[secret]"


def redact(text: str, secrets: Collection[str]) -> str:
    """Replace these secrets, including their forms in URLs and JSON, and the signing parameters of URLs."""
    forms = {
        form
        for secret in secrets
        for form in (secret, quote(secret, safe=""), quote(secret), json.dumps(secret)[1:-1])
    }
    longest_first = sorted(filter(None, forms), key=len, reverse=True)
    if longest_first:
        text = re.sub("|".join(map(re.escape, longest_first)), HIDDEN, text)
    return re.sub(r"(?i)(x-amz-[\w-]+)(=|%3d)[^&\s\"'<>]*", rf"\1={HIDDEN}", text)


def secrets_of(credentials: Credentials) -> tuple[str, ...]:
    """The parts of AWS credentials that must stay hidden."""
    return credentials.secret_access_key, credentials.session_token, credentials.access_key_id
