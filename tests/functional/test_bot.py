"""`examples/bot.py` with the services in memory: what it does if a reply cannot be sent."""

import runpy

import pytest

from aws_iot.api import connect_with
from aws_iot.errors import AwsIotError, NotAuthorized, ServiceRefused, TopicRefused, Unreachable
from aws_iot.messaging.connection import Publication
from aws_iot.messaging.message import encode
from tests.conftest import REPOSITORY
from tests.fakes import POOL, FakeApp, FakeCloud


@pytest.mark.parametrize("error", [TopicRefused("no"), Unreachable("it is lost"), ServiceRefused("too long")])
def test_the_bot_answers_the_next_message_if_a_reply_cannot_be_sent(
    app: FakeApp, cloud: FakeCloud, capsys: pytest.CaptureFixture[str], error: AwsIotError
) -> None:
    cloud.member("bot", "Passw0rd")
    cloud.refuses_payload, cloud.refusal = encode("one"), error
    bot = runpy.run_path(str(REPOSITORY / "examples" / "bot.py"))
    with connect_with(app, "default", "bot", "Passw0rd", None) as client:
        [connection] = cloud.connections
        for text in ("!echo one", "!echo two"):
            connection.events.put(Publication(f"{POOL}/lobby/us-east-1:someone-else", encode(text)))
        connection.events.put(NotAuthorized("the connection has ended"))
        with pytest.raises(NotAuthorized):
            bot["run"](client, "lobby")
    assert [payload for _, payload, _ in cloud.published] == [encode("two")]
    assert f"not sent: {error}" in capsys.readouterr().err
