"""What an identity may do in a room: the role of its pool AND its IoT policies must allow it.

docs.aws.amazon.com/iot/latest/developerguide/cog-iot-policies.html
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from aws_iot.config.partitions import iot_arn
from aws_iot.messaging.topics import check_topic, is_pattern, topic, topic_filter
from aws_iot.policy.actions import ACTIONS, ROOM
from aws_iot.policy.context import Request, identity_request
from aws_iot.policy.documents import Document
from aws_iot.policy.evaluate import Decision, Verdict, decide
from aws_iot.policy.explain import NearMiss, near_misses

CLIENT_SUFFIX = "-0a1b2c3d"
"""Stands for the eight random characters at the end of a client ID."""

OTHER_MEMBER = "00000000-0000-4000-8000-000000000000"
"""Stands for another member, whose messages are received."""


@dataclass(frozen=True, slots=True)
class Question:
    """May an identity do this: an action, such as `iot:Publish`, on a resource, such as `topic/…`."""

    action: str
    resource: str


@dataclass(frozen=True, slots=True)
class Principal:
    """An identity of a pool, connected with a client ID, in a region and AWS account.

    `more` holds the values of further condition keys.
    """

    identity: str
    pool: str
    client: str
    region: str
    account: str
    more: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def arn(self, resource: str) -> str:
        """The full name of a resource such as `topic/…`."""
        return iot_arn(self.region, self.account, resource)

    def request(self, question: Question) -> Request:
        """The question as AWS IoT Core receives it."""
        return identity_request(
            question.action,
            self.arn(question.resource),
            identity=self.identity,
            pool=self.pool,
            client=self.client,
            more=self.more,
        )


@dataclass(frozen=True, slots=True)
class PolicyLayer:
    """One set of policies that must allow a request, such as those of the role.

    `of` names what the policies belong to. `doubt` is why other policies than `documents` may count. `closed` is why
    this layer refuses everything, whatever its policies say.
    """

    name: str
    of: str
    documents: tuple[Document, ...]
    doubt: str | None = None
    closed: str | None = None


@dataclass(frozen=True, slots=True)
class LayerDecision:
    """What one layer decides; `near_misses` are for a request that none of its statements allows."""

    layer: PolicyLayer
    decision: Decision
    near_misses: tuple[NearMiss, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Undecided if there is doubt about the policies."""
        if self.layer.doubt:
            return Verdict.UNDECIDED
        return Verdict.REFUSED if self.layer.closed else self.decision.verdict


@dataclass(frozen=True, slots=True)
class AccessDecision:
    """What all layers decide together."""

    question: Question
    layers: tuple[LayerDecision, ...]

    @property
    def verdict(self) -> Verdict:
        """The verdict of the strictest layer; refused if there is no layer."""
        return min((one.verdict for one in self.layers), default=Verdict.REFUSED)


def decide_access(question: Question, principal: Principal, layers: Sequence[PolicyLayer]) -> AccessDecision:
    """Ask every layer."""
    request = principal.request(question)

    def ask(layer: PolicyLayer) -> LayerDecision:
        decision = decide(layer.documents, request)
        explain = decision.verdict is Verdict.REFUSED and not decision.matches
        return LayerDecision(layer, decision, near_misses(layer.documents, request) if explain else ())

    return AccessDecision(question, tuple(map(ask, layers)))


def questions(
    principal: Principal,
    *,
    room: str | None = None,
    at: str | None = None,
    actions: Collection[str] = (),
    retain: bool = False,
) -> list[Question]:
    """What `sub` and `pub` ask AWS IoT Core for a room, or for the topic `at`. `actions`, of `ACTIONS`, narrows it.

    A pattern of rooms or topics allows only subscribing. Without room and topic: subscribe to all rooms, and publish
    in `ROOM`. Raises `InvalidRoom`, including for a topic that AWS IoT Core would reject.
    """
    region = principal.pool.partition(":")[0]
    if at is not None:
        check_topic(at)
        subscribed, published, received = at, at, at
    else:
        subscribed = topic_filter(principal.pool, "#" if room is None else room, principal.identity)
        published = (
            topic(principal.pool, room or ROOM, principal.identity) if not is_pattern(room or "") else ""
        )
        received = published.removesuffix(principal.identity) + f"{region}:{OTHER_MEMBER}"
    found = [
        Question("iot:Connect", f"client/{principal.client}"),
        Question("iot:Subscribe", f"topicfilter/{subscribed}"),
    ]
    if not is_pattern(at or room or ""):
        found += [Question("iot:Receive", f"topic/{received}"), Question("iot:Publish", f"topic/{published}")]
        # Needed with iot:Publish: docs.aws.amazon.com/iot/latest/developerguide/mqtt.html#mqtt-retain
        found.append(Question("iot:RetainPublish", f"topic/{published}"))
    chosen = {ACTIONS[one] for one in actions or ACTIONS.keys() - {"retain"}}
    return [one for one in found if one.action in chosen or (retain and one.action == ACTIONS["retain"])]
