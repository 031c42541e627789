"""Authorization: what a person may do in a room, where the pool's role AND the IoT policies must allow it.

docs.aws.amazon.com/iot/latest/developerguide/cog-iot-policies.html
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from aws_iot.config.partitions import iot_arn
from aws_iot.messaging.topics import check_topic, topic, topic_filter
from aws_iot.policy.evaluate import AUD, Decision, Document, Request, Verdict, decide, request_of

ACTIONS = {
    "connect": "iot:Connect",
    "subscribe": "iot:Subscribe",
    "receive": "iot:Receive",
    "publish": "iot:Publish",
    "retain": "iot:RetainPublish",
}
"""What can be asked for, in the order in which it happens; all but the last is what `sub` and `pub` always need."""

ROOM = "doctor"
"""The room to speak in where none is named: nobody else listens there."""

CLIENT_SUFFIX = "-0a1b2c3d"
"""What stands for the eight random characters that end the client id of a connection."""

SOMEBODY = "00000000-0000-4000-8000-000000000000"
"""Whose messages are received: anybody's but one's own."""


@dataclass(frozen=True, slots=True)
class Question:
    """May somebody do this: an action such as `iot:Publish`, on a resource such as `topic/…`."""

    action: str
    resource: str


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks, from where: an identity of a pool, over a connection with a client id, in a region and account."""

    identity: str
    pool: str
    client: str
    region: str
    account: str
    more: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def arn(self, resource: str) -> str:
        """The whole name of a resource such as `topic/…`."""
        return iot_arn(self.region, self.account, resource)

    def request(self, question: Question) -> Request:
        """The question as AWS IoT Core gets it."""
        return request_of(
            question.action,
            self.arn(question.resource),
            identity=self.identity,
            pool=self.pool,
            client=self.client,
            more=self.more,
        )


@dataclass(frozen=True, slots=True)
class PolicyLayer:
    """One of those who all have to allow it.

    `doubt` is why what its documents say need not be so; `closed` is why it lets nobody pass, whatever they say.
    """

    name: str
    of: str
    documents: tuple[Document, ...]
    doubt: str | None = None
    closed: str | None = None


@dataclass(frozen=True, slots=True)
class LayerDecision:
    """What a layer says to a question."""

    layer: PolicyLayer
    decision: Decision

    @property
    def verdict(self) -> Verdict:
        """Undecided wherever there is doubt."""
        if self.layer.doubt:
            return Verdict.UNDECIDED
        return Verdict.REFUSED if self.layer.closed else self.decision.verdict


@dataclass(frozen=True, slots=True)
class Answer:
    """What all layers say to a question."""

    question: Question
    decisions: tuple[LayerDecision, ...]

    @property
    def verdict(self) -> Verdict:
        """What the strictest layer says."""
        return min((one.verdict for one in self.decisions), default=Verdict.REFUSED)


def answer(question: Question, person: Person, layers: Sequence[PolicyLayer]) -> Answer:
    """Ask all layers."""
    request = person.request(question)
    return Answer(question, tuple(LayerDecision(layer, decide(layer.documents, request)) for layer in layers))


def questions(
    person: Person,
    *,
    room: str | None = None,
    at: str | None = None,
    actions: Collection[str] = (),
    retain: bool = False,
) -> list[Question]:
    """What `sub` and `pub` ask AWS IoT Core for a room, or the topic `at`; or, of `ACTIONS`, only these.

    A pattern of rooms, or of topics, can only be subscribed to. Without either it is all rooms to hear, and one
    to speak in. Raises `InvalidRoom`, also for a topic that AWS IoT Core would not take.
    """
    region = person.pool.partition(":")[0]
    if at is not None:
        check_topic(at)
        wanted, here, theirs = at, at, at
    else:
        wanted = topic_filter(person.pool, "#" if room is None else room, person.identity)
        here = topic(person.pool, room or ROOM, person.identity) if not is_pattern(room or "") else ""
        theirs = here.removesuffix(person.identity) + f"{region}:{SOMEBODY}"
    found = [
        Question("iot:Connect", f"client/{person.client}"),
        Question("iot:Subscribe", f"topicfilter/{wanted}"),
    ]
    if not is_pattern(at or room or ""):
        found += [Question("iot:Receive", f"topic/{theirs}"), Question("iot:Publish", f"topic/{here}")]
        # Besides iot:Publish: docs.aws.amazon.com/iot/latest/developerguide/mqtt.html#mqtt-retain
        found.append(Question("iot:RetainPublish", f"topic/{here}"))
    chosen = {ACTIONS[one] for one in actions or ACTIONS.keys() - {"retain"}}
    return [one for one in found if one.action in chosen or (retain and one.action == ACTIONS["retain"])]


def is_pattern(name: str) -> bool:
    """Whether a room, or a topic, stands for several."""
    return "+" in name or "#" in name


def accounts(documents: Sequence[Document]) -> dict[str, list[str]]:
    """The AWS accounts whose IoT resources documents name, each with the statements that do, the most named first."""
    found: dict[str, list[str]] = {}
    for one in documents:
        for part in one.statements:
            arns = [arn.split(":", 5) for arn in part.resources]
            for account in {arn[4]: None for arn in arns if len(arn) == 6 and arn[2] == "iot"}:
                if re.fullmatch("[0-9]{12}", account):
                    found.setdefault(account, []).append(f"{one.name}, {part.label}")
    return dict(sorted(found.items(), key=lambda item: -len(item[1])))


def rooms(documents: Iterable[Document], pool: str) -> list[str]:
    """The rooms of a pool that documents let somebody ask for by name."""
    named = re.compile(rf"arn:.*:topicfilter/(?:{re.escape(pool)}|\$\{{{re.escape(AUD)}\}})/([^*?$+#]+)/[*+]")
    arns = [
        arn
        for document in documents
        for statement in document.statements
        if statement.effect == "Allow" and not statement.not_resources
        for arn in statement.resources
    ]
    return list(dict.fromkeys(found[1] for arn in arns if (found := named.fullmatch(arn))))


def names_the_pool(documents: Sequence[Document]) -> list[str]:
    """The documents that leave the pool to a variable, which AWS documents for IAM's own policies only."""
    return [
        one.name
        for one in documents
        if any(f"${{{AUD}}}" in arn for statement in one.statements for arn in statement.resources)
    ]
