"""The services in memory. They pass the same contracts (`tests/contracts`) as the real ones on the local stack."""

import queue
import secrets
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from aws_iot.app import (
    AdminBuilder,
    App,
    AuthBuilder,
    ConfigBuilder,
    DoctorBuilder,
    MessagingBuilder,
    Settings,
)
from aws_iot.auth.accounts import Accounts, Challenge, ChallengeAnswer, CodeSent, SecondFactors
from aws_iot.auth.credentials import CredentialIssuer, Credentials
from aws_iot.auth.session import Device, RefreshToken, Session
from aws_iot.backend.members import ClientStatus, Identity, MemberRecord
from aws_iot.backend.stack import NO_WATCHER, Change, ChangeSet, StackEvent, StackFailed, StackState, Watcher
from aws_iot.backend.template import parameters as template_parameters
from aws_iot.config.endpoint import Endpoint
from aws_iot.config.paths import Folders
from aws_iot.config.profile import Profile
from aws_iot.config.secrets import Keyring, SecretStore
from aws_iot.doctor.probes import CheckResult, Probes
from aws_iot.errors import (
    AccountNotConfirmed,
    AwsIotError,
    CodeRefused,
    CredentialsRefused,
    LocalError,
    NotAccepted,
    NotAuthorized,
    NotFound,
    PasswordTooWeak,
    ServiceRefused,
    SessionEnded,
    SignInRefused,
    TopicRefused,
    Unreachable,
    UsernameTaken,
    UserNotFound,
    WrongPassword,
)
from aws_iot.messaging.connection import Connection, Done, Event, Lost, Publication
from aws_iot.messaging.message import Properties
from aws_iot.messaging.topics import matches
from aws_iot.policy.access import PolicyLayer, Principal, Question
from aws_iot.policy.documents import Document, parse
from aws_iot.policy.reader import AwsVerdict

POOL = "us-east-1:00000000-0000-0000-0000-00000000abcd"
CODE = "123456"
RESET_CODE = "654321"
ANYTHING = {"Action": "*", "Resource": "*"}


@dataclass
class FakeUser:
    """An entry in the user pool."""

    password: str
    email: str
    identity: str = field(default_factory=lambda: f"us-east-1:{uuid.uuid4()}")
    confirmed: bool = False
    challenges: list[Challenge] = field(default_factory=list)
    second_factor: str | None = None
    attributes: dict[str, str] = field(default_factory=dict)

    def wanted(self, username: str) -> list[Challenge]:
        """The challenges after the password: those that a test has set, or the second factor."""
        if self.challenges or not self.second_factor:
            return list(self.challenges)
        return [Challenge(self.second_factor, username, "session", "code")]


@dataclass
class FakeCloud:
    """A user pool, an identity pool and a broker that know of each other."""

    profile: Profile = field(
        default_factory=lambda: Profile(
            user_pool_id="us-east-1_FAKE",
            client_id="fakeclient",
            identity_pool_id=POOL,
            endpoint=Endpoint.parse("wss://fake.example/mqtt"),
            iot_region="us-east-1",
            policy_name="fake-member",
        )
    )
    accounts: dict[str, FakeUser] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    members: set[str] = field(default_factory=set)
    connections: "list[FakeConnection]" = field(default_factory=list)
    rotates: bool = False
    """Whether a refresh gives a new refresh token and voids the old one, which an app client can be set to."""
    sessions: "dict[tuple[str, str | None], FakeSession]" = field(default_factory=dict)
    """The durable sessions that no connection uses now, by identity and name."""
    knows_devices: bool = False
    devices: list[Device] = field(default_factory=list)
    remembered: list[Device] = field(default_factory=list)
    stop_after: int | None = None
    refuses_payload: bytes | None = None
    refusal: AwsIotError = field(default_factory=lambda: ServiceRefused("the broker does not take it"))
    clients: dict[str, ClientStatus] = field(default_factory=dict)
    other_identities: dict[str, list[str]] = field(default_factory=dict)
    """Identities of people without an account here, and their policies apart from the team's."""
    other_policies: set[str] = field(default_factory=set)
    """IoT policies in the account, apart from the team's."""
    other_things: set[str] = field(default_factory=set)
    """Things in the account that are no records, although they are named like identities."""
    records: dict[str, MemberRecord] = field(default_factory=dict)
    accepted_at: datetime = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
    denied_permission: str | None = None
    """The permission for records that the admin lacks."""
    fails: AwsIotError | None = None
    check_fails: AwsIotError | None = None
    """Why AWS does not tell whether an identity exists."""
    layers: list[PolicyLayer] | None = None
    """The policy layers of everybody; None are those of the role and of the team's policy."""
    aws_verdicts: dict[str, AwsVerdict] | AwsIotError = field(default_factory=dict)
    stack: "FakeStack" = field(default_factory=lambda: FakeStack())

    def name_of(self, username: str) -> str:
        """The account's own name: case does not matter. The same if there is no account."""
        return next((name for name in self.accounts if name.casefold() == username.casefold()), username)

    published: list[tuple[str, bytes, Properties]] = field(default_factory=list)
    closed_rooms: set[str] = field(default_factory=set)
    """Rooms to which nobody may publish."""

    def member(self, username: str, password: str) -> str:
        """A confirmed account whose identity is accepted; the identity."""
        account = FakeUser(password, f"{username}@example.com", confirmed=True)
        self.accounts[username] = account
        self.members.add(account.identity)
        return account.identity

    def invite(self, username: str, password: str) -> None:
        """What an admin does: an account with a temporary password."""
        wanted = Challenge("NEW_PASSWORD_REQUIRED", username, "session", "password")
        account = FakeUser(password, f"{username}@example.com", confirmed=True, challenges=[wanted])
        self.accounts[username] = account

    def deliver(self, topic: str, payload: bytes, properties: Properties = (), qos: int = 1) -> None:
        """What the broker does with a publication that it took."""
        for connection in self.connections:
            connection.offer(Publication(topic, payload, properties, qos))
        for session in self.sessions.values():
            if qos and any(matches(topic, f) for f in session.filters):
                session.waiting.append(Publication(topic, payload, properties, qos))


class FakeAccounts:
    """`Accounts` in memory."""

    def __init__(self, cloud: FakeCloud) -> None:
        self._cloud = cloud

    def sign_up(self, username: str, password: str, email: str) -> CodeSent | None:
        if self._cloud.name_of(username) in self._cloud.accounts:
            raise UsernameTaken("this user name is taken")
        if len(password) < 8:
            raise ServiceRefused("the password does not do: not long enough")
        self._cloud.accounts[username] = FakeUser(password, email)
        return CodeSent(email, "EMAIL")

    def confirm(self, username: str, code: str) -> None:
        account = self.account(username)
        if account.confirmed:
            raise SignInRefused("this account is already confirmed")
        if code != CODE:
            raise CodeRefused("this is not the code that was sent")
        account.confirmed = True
        self._cloud.aliases[account.email.casefold()] = self._cloud.name_of(username)

    def resend_code(self, username: str) -> CodeSent:
        return CodeSent(self.account(username).email, "EMAIL")

    def sign_in(self, username: str, password: str, device: Device | None = None) -> Session | Challenge:
        username = self._cloud.aliases.get(username.casefold(), username)
        account = self.account(username)
        if not account.confirmed:
            raise AccountNotConfirmed("this account is not confirmed yet")
        if account.password != password:
            raise WrongPassword("wrong user name or password")
        return self._next(username, account.wanted(username), device)

    def are_same(self, one: str, other: str) -> bool:
        return self.account(one) is self.account(other)

    def answer(self, challenge: Challenge, answer: ChallengeAnswer) -> Session | Challenge:
        account = self.account(challenge.username)
        if challenge.wants in ("code", "authenticator") and answer.value != CODE:
            raise CodeRefused("this is not the code that was sent")
        if challenge.wants == "password":
            if len(answer.value) < 8:
                raise PasswordTooWeak("the password is too weak: not long enough")
            account.password, account.attributes = answer.value, dict(answer.attributes)
        wanted = account.wanted(challenge.username)
        rest = wanted[wanted.index(challenge) + 1 :]
        if challenge.wants == "password":
            account.challenges = rest
        return self._next(challenge.username, rest)

    def _next(
        self, username: str, challenges: list[Challenge], device: Device | None = None
    ) -> Session | Challenge:
        if challenges:
            return challenges[0]
        if self._cloud.knows_devices and device not in self._cloud.devices:
            device = Device(f"us-east-1_{uuid.uuid4()}", "group", secrets.token_hex(8))
            self._cloud.devices.append(device)
        return self._session(username, device)

    def of(self, session: Session) -> "FakeAccount":
        return FakeAccount(self._cloud, session)

    def refresh(self, token: RefreshToken) -> Session:
        if token.value not in self._cloud.tokens:
            raise SessionEnded("the session is no longer valid")
        session = self._session(self._cloud.tokens[token.value], token.device)
        if self._cloud.rotates:
            self.revoke(token)
        fresh = session.refresh_token
        return session._replace(
            username=token.username, refresh_token=fresh and fresh._replace(username=token.username)
        )

    def revoke(self, token: RefreshToken) -> None:
        self._cloud.tokens.pop(token.value, None)

    def request_reset(self, username: str) -> CodeSent:
        return CodeSent(self.account(username).email, "EMAIL")

    def reset(self, username: str, code: str, new_password: str) -> None:
        if code != RESET_CODE:
            raise CodeRefused("this is not the code that was sent")
        self.set_password(username, new_password)

    def set_password(self, username: str, password: str) -> None:
        if len(password) < 8:
            raise PasswordTooWeak("the password is too weak: not long enough")
        self.account(username).password = password

    def account(self, username: str) -> FakeUser:
        try:
            return self._cloud.accounts[self._cloud.name_of(username)]
        except KeyError:
            raise UserNotFound("there is no such user in this user pool") from None

    def _session(self, username: str, device: Device | None) -> Session:
        id_token, access_token, refresh_token = (secrets.token_hex(8) for _ in range(3))
        self._cloud.tokens |= dict.fromkeys((id_token, refresh_token), self._cloud.name_of(username))
        token, expires = RefreshToken(username, refresh_token, device), datetime.now(UTC) + timedelta(hours=1)
        return Session(username, id_token, access_token, token, expires)


class FakeAccount:
    """`Account` in memory."""

    def __init__(self, cloud: FakeCloud, session: Session) -> None:
        self._cloud = cloud
        self._session = session

    @property
    def _user(self) -> FakeUser:
        username = self._session.username
        try:
            return self._cloud.accounts[
                self._cloud.name_of(self._cloud.aliases.get(username.casefold(), username))
            ]
        except KeyError:
            raise SessionEnded("the session is no longer valid") from None

    def change_password(self, old: str, new: str) -> None:
        if self._user.password != old:
            raise WrongPassword("wrong user name or password")
        FakeAccounts(self._cloud).set_password(self._session.username, new)

    def second_factors(self) -> SecondFactors:
        kind = self._user.second_factor
        return SecondFactors((kind,) if kind else (), kind)

    def use_second_factor(self, kind: str | None) -> None:
        self._user.second_factor = kind

    def new_authenticator(self) -> str:
        return "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

    def confirm_authenticator(self, code: str) -> None:
        if code != CODE:
            raise CodeRefused("this is not the code that the app shows now")

    def remember_device(self) -> None:
        if self._session.device:
            self._cloud.remembered.append(self._session.device)

    def sign_out_everywhere(self) -> None:
        if self._session.id_token not in self._cloud.tokens:
            raise SessionEnded("the session is no longer valid")
        owner = self._cloud.tokens[self._session.id_token]
        self._cloud.tokens = {token: name for token, name in self._cloud.tokens.items() if name != owner}

    def delete(self) -> None:
        username = self._session.username
        del self._cloud.accounts[username]
        self._cloud.tokens = {
            token: owner for token, owner in self._cloud.tokens.items() if owner != username
        }


class FakeIssuer:
    """`CredentialIssuer` in memory."""

    def __init__(self, cloud: FakeCloud) -> None:
        self._cloud = cloud

    def identify(self, session: Session) -> str:
        username = self._cloud.tokens.get(session.id_token)
        if username is None:
            raise CredentialsRefused("the identity pool does not take this user pool's sign-in")
        return self._cloud.accounts[username].identity

    def issue(self, session: Session, identity: str | None = None) -> Credentials:
        if identity not in (None, self.identify(session)):
            raise CredentialsRefused("Logins don't match.")
        identity = self.identify(session)
        return Credentials(identity, "ASIAFAKE", "secret", "token", datetime.now(UTC) + timedelta(hours=1))


@dataclass
class FakeProbes:
    """`Probes` that find no problem, except for the results and errors that a test sets."""

    results: dict[str, AwsIotError | CheckResult] = field(default_factory=dict)

    def names(self) -> CheckResult:
        return self._result("names")

    def proxies(self) -> CheckResult:
        return self._result("proxies")

    def certificates(self) -> CheckResult:
        return self._result("certificates")

    def clock(self) -> CheckResult:
        return self._result("clock")

    def user_pool(self, username: str | None) -> CheckResult:
        return self._result("user_pool")

    def upgrade(self, credentials: Credentials) -> CheckResult:
        return self._result("upgrade")

    def _result(self, probe: str) -> CheckResult:
        result = self.results.get(probe, CheckResult("well"))
        if isinstance(result, AwsIotError):
            raise result
        return result


@dataclass(frozen=True)
class FakeSession:
    """A durable session whose client is offline."""

    filters: list[str]
    waiting: list[Publication]


class FakeConnection:
    """`Connection` in memory, with the policy of the template."""

    def __init__(
        self,
        cloud: FakeCloud,
        identity: str,
        durable: str | None = None,
        will: Publication | None = None,
        *,
        is_temporary: bool = False,
    ) -> None:
        self._cloud = cloud
        self._identity = identity
        self._unacknowledged: list[Publication] = []
        self.events: queue.SimpleQueue[Event | BaseException] = queue.SimpleQueue()
        self.on_subscribed: Callable[[], None] = lambda: None
        self.on_acknowledge: Callable[[], None] = lambda: None
        self.is_deaf = False
        """Whether the broker delivers nothing."""
        self.closed = False
        self.durable = durable
        self.is_temporary = is_temporary
        self.acknowledged = 0
        if identity not in cloud.members:
            raise NotAccepted(
                f"no admin has accepted the identity {identity} yet", hint="An admin accepts it."
            )
        self.will = will
        if will and not self._may_publish(will.topic):  # the broker does not tell that this is the reason
            raise NotAccepted(f"no admin has accepted the identity {identity} yet")
        kept = cloud.sessions.pop((identity, durable), None)
        self.is_resumed = kept is not None
        self._filters = kept.filters if kept else []
        for waiting in kept.waiting if kept else ():
            self.events.put(waiting)
        cloud.connections.append(self)

    def _check_open(self) -> None:
        if self.closed:
            raise Unreachable("the connection was closed")

    def send(self, publication: Publication, done: Done) -> None:
        try:
            self.publish(publication)
        except AwsIotError as error:
            done(error)
        else:
            done(None)

    def _may_publish(self, topic: str) -> bool:
        is_own = topic.startswith(f"{POOL}/") and topic.endswith(f"/{self._identity}")
        return is_own and topic.split("/")[1] not in self._cloud.closed_rooms

    def publish(self, publication: Publication) -> None:
        self._check_open()
        topic = publication.topic
        if not self._may_publish(topic):
            raise TopicRefused(f"not authorized to publish to {topic}")
        if publication.payload == self._cloud.refuses_payload:
            raise self._cloud.refusal
        if len(self._cloud.published) == self._cloud.stop_after:
            raise KeyboardInterrupt
        self._cloud.published.append((topic, publication.payload, publication.properties))
        self._cloud.deliver(*publication[:4])

    def subscribe(self, filters: Sequence[str]) -> None:
        self._check_open()
        for topic_filter in filters:
            if not topic_filter.startswith(f"{POOL}/"):
                raise TopicRefused(f"not authorized to subscribe to {topic_filter}")
        self._filters += filters
        self.on_subscribed()

    def unsubscribe(self, filters: Sequence[str]) -> None:
        self._check_open()
        self._filters = [f for f in self._filters if f not in filters]

    def receive(self, timeout: float | None = None) -> Event | None:
        self._check_open()
        try:
            event = self.events.get(timeout=timeout)
        except queue.Empty:
            return None
        self._check_open()
        if isinstance(event, BaseException):
            raise event
        if isinstance(event, Publication):
            self._unacknowledged.append(event)
        return event

    def leave(self) -> None:
        if self.closed:
            return
        self.closed = True
        if self.durable and not self.is_temporary:
            waiting = [*self._unacknowledged]
            while not self.events.empty():
                if isinstance(event := self.events.get(), Publication):
                    waiting.append(event)
            self._cloud.sessions[self._identity, self.durable] = FakeSession(self._filters, waiting)
        self.events.put(Lost("closed"))  # wakes a thread that waits in `receive`

    def close(self) -> None:
        self.leave()

    def acknowledge(self, deliveries: int | None = None) -> None:
        self.on_acknowledge()
        if self.closed:
            return
        done = len(self._unacknowledged) if deliveries is None else deliveries
        assert 0 <= done <= len(self._unacknowledged), "more are acknowledged than were received"
        del self._unacknowledged[:done]
        self.acknowledged += done

    def offer(self, delivery: Publication) -> None:
        """Deliver a publication once, if a filter takes it."""
        if not (self.closed or self.is_deaf) and any(matches(delivery.topic, f) for f in self._filters):
            self.events.put(delivery)


class FakeKeyring:
    """`Keyring` in memory."""

    def __init__(self) -> None:
        self.holds: dict[str, str] = {}

    def get(self, name: str) -> str | None:
        return self.holds.get(name)

    def set(self, name: str, value: str) -> None:
        self.holds[name] = value

    def remove(self, name: str) -> None:
        self.holds.pop(name, None)


class LockedKeyring(FakeKeyring):
    """A keyring that was locked after it got the secrets of another."""

    def __init__(self, unlocked: FakeKeyring | None = None) -> None:
        super().__init__()
        self.holds = unlocked.holds if unlocked else {}

    def get(self, name: str) -> str | None:
        raise LocalError("the keyring is locked")

    def set(self, name: str, value: str) -> None:
        raise LocalError("the keyring is locked")

    def remove(self, name: str) -> None:
        raise LocalError("the keyring is locked")


class FakeMembers:
    """`Members` in memory."""

    def __init__(self, cloud: FakeCloud) -> None:
        self._cloud = cloud

    def accept(self, identity: str, policy: str, username: str | None = None) -> str | None:
        self._check(policy)
        if policy in self._cloud.other_policies:
            self._cloud.other_identities.setdefault(identity, []).append(policy)
        else:
            self._cloud.members.add(identity)
        if refusal := self._refusal(identity):
            return refusal
        old = self._cloud.records.get(identity, MemberRecord(None, self._cloud.accepted_at))
        self._cloud.records[identity] = replace(old, username=username or old.username)
        return None

    def check(self, identity: str) -> None:
        if self._cloud.check_fails:
            raise self._cloud.check_fails
        known = {account.identity for account in self._cloud.accounts.values()}
        if identity not in known | self._cloud.other_identities.keys():
            raise NotFound(f"the identity {identity} does not exist in this AWS account")

    def revoke(self, identity: str, policy: str) -> str | None:
        self._check(policy)
        if policy in self._cloud.other_policies and policy in self._cloud.other_identities.get(identity, ()):
            self._cloud.other_identities[identity].remove(policy)
            return None if identity in self._cloud.members else self._delete_record(identity)
        if policy in self._cloud.other_policies or identity not in self._cloud.members:
            others = self._cloud.other_identities.get(identity)
            attached = f"its policies are: {', '.join(others)}" if others else "it has no policy"
            raise NotFound(f"{identity} is not a member (policy {policy}): {attached}")
        self._cloud.members.discard(identity)
        return self._delete_record(identity)

    def detach(self, identity: str, policy: str) -> str | None:
        return self.revoke(identity, policy)

    def records(self) -> dict[str, MemberRecord]:
        if self._cloud.denied_permission:
            raise NotAuthorized(f"your AWS credentials do not allow this: {self._cloud.denied_permission}")
        return dict(self._cloud.records)

    def accepted(self, policy: str) -> list[str]:
        if self._cloud.fails:
            raise self._cloud.fails
        self._check(policy)
        if policy in self._cloud.other_policies:
            return [one for one, names in self._cloud.other_identities.items() if policy in names]
        return list(self._cloud.members)

    def identities(self) -> list[Identity]:
        born = datetime(2026, 1, 1, tzinfo=UTC)
        everybody = self._cloud.accounts.values()
        return [Identity(user.identity, born + timedelta(days=n)) for n, user in enumerate(everybody)]

    def client_status(self, client: str) -> ClientStatus:
        if client not in self._cloud.clients:
            raise NotFound(f"AWS IoT Core has no such client: {client}")
        return self._cloud.clients[client]

    def disconnect(self, client: str) -> None:
        self.client_status(client)
        del self._cloud.clients[client]

    def _delete_record(self, identity: str) -> str | None:
        if identity in self._cloud.other_things:
            return None
        if refusal := self._refusal(identity):
            return refusal
        self._cloud.records.pop(identity, None)
        return None

    def _refusal(self, identity: str) -> str | None:
        if self._cloud.denied_permission:
            return f"your AWS credentials do not allow {self._cloud.denied_permission}"
        if identity in self._cloud.other_things:
            return f"another thing in AWS IoT has the name {identity}"
        return None

    def _check(self, policy: str) -> None:
        if policy not in {self._cloud.profile.policy_name, *self._cloud.other_policies}:
            raise NotFound(f"AWS cannot find it: {policy}")


class FakePolicyReader:
    """`PolicyReader` in memory; AWS's own verdicts are by action."""

    def __init__(self, cloud: FakeCloud) -> None:
        self._cloud = cloud

    def read(self, identity: str) -> tuple[Sequence[PolicyLayer], str | None]:
        account = "123456789012"
        if self._cloud.layers is not None:
            return self._cloud.layers, account
        role = parse("rooms", {"Version": "2012-10-17", "Statement": {"Effect": "Allow", **ANYTHING}})
        team = [self._team_policy()] if identity in self._cloud.members else []
        attached = PolicyLayer("IoT", ", ".join(one.name for one in team), tuple(team))
        return [PolicyLayer("role", "MemberRole", (role,)), attached], account

    def _team_policy(self) -> Document:
        topics = {
            "iot:Connect": "client/*",
            "iot:Subscribe": f"topicfilter/{POOL}/*",
            "iot:Receive": f"topic/{POOL}/*",
            "iot:Publish": f"topic/{POOL}/*/${{cognito-identity.amazonaws.com:sub}}",
        }
        statements = [
            {"Effect": "Allow", "Action": action, "Resource": f"arn:aws:iot:*:*:{resource}"}
            for action, resource in topics.items()
        ]
        name = self._cloud.profile.policy_name or ""
        return parse(name, {"Version": "2012-10-17", "Statement": statements})

    def aws_verdicts(self, principal: Principal, questions: Sequence[Question]) -> dict[Question, AwsVerdict]:
        verdicts = self._cloud.aws_verdicts
        if isinstance(verdicts, AwsIotError):
            raise verdicts
        return {one: verdicts[one.action] for one in questions if one.action in verdicts}


@dataclass
class FakeStack:
    """`Stack` in memory. `changes` is what an update would change, `fails` and `refuses` how an operation ends."""

    name: str = "chat"
    now: StackState | None = None
    changes: list[Change] | None = None
    fails: str | BaseException | None = None
    refuses: AwsIotError | None = None
    protected: bool = False
    others: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    _new_parameters: dict[str, str] = field(default_factory=dict)

    def state(self) -> StackState | None:
        return self.now

    def create(
        self, template: str, parameters: Mapping[str, str], watcher: Watcher = NO_WATCHER
    ) -> StackState:
        self._happen("create", "CREATE", watcher)
        outputs = {
            "UserPoolId": "us-east-1_MADE",
            "UserPoolClientId": "made",
            "IdentityPoolId": POOL,
            "IotPolicyName": f"{self.name}-member",
            "Region": "us-east-1",
        }
        description = "Chat rooms over AWS IoT Core for one team: and more"
        given = {name: one.default for name, one in template_parameters().items()} | dict(parameters)
        self.now = StackState("id", "CREATE_COMPLETE", None, datetime.now(UTC), description, outputs, given)
        return self.now

    def all(self) -> list[tuple[str, str]]:
        if self.refuses:
            raise self.refuses
        ours = "Chat rooms over AWS IoT Core for one team: and more"
        own = [(self.name, self.now.description)] if self.now else []
        return [*own, *((name, ours) for name in self.others), ("shop", "Our shop")]

    def create_change_set(
        self, template: str, parameters: Mapping[str, str], kept: Sequence[str] = ()
    ) -> ChangeSet | None:
        assert self.now
        self._new_parameters = dict(self.now.parameters) | dict(parameters)
        if self.changes is None and self._new_parameters == self.now.parameters:
            return None
        changes = self.changes or [
            Change("Modify", "UserPool", "AWS::Cognito::UserPool", "False", ["Policies"])
        ]
        return ChangeSet("name", "set", "id", changes)

    def delete_change_set(self, change_set: ChangeSet) -> None:
        self.done.append("delete change set")

    def execute(self, change_set: ChangeSet, watcher: Watcher = NO_WATCHER) -> StackState:
        self._happen("execute", "UPDATE", watcher)
        assert self.now
        self.now = replace(self.now, status="UPDATE_COMPLETE", parameters=self._new_parameters)
        return self.now

    def delete(self, watcher: Watcher = NO_WATCHER) -> None:
        self._happen("delete", "DELETE", watcher)
        self.now = None

    def last_failure(self, state: StackState) -> StackEvent | None:
        return None

    def _happen(self, what: str, status: str, watcher: Watcher) -> None:
        watcher.requesting()
        if self.refuses:
            raise self.refuses
        self.done.append(what)
        watcher.accepted()
        when = datetime.now(UTC)
        watcher.happened(StackEvent(when, "UserPool", "AWS::Cognito::UserPool", f"{status}_IN_PROGRESS"))
        if isinstance(self.fails, BaseException):
            raise self.fails
        if self.fails:
            raise StackFailed(f"the stack {self.name}: UserPool (AWS::Cognito::UserPool): {self.fails}")


class FakeTarget:
    """`Target` in memory."""

    def __init__(self, stack: FakeStack, region: str | None = None) -> None:
        self.stack = stack
        self.region = region or "us-east-1"

    def describe(self, state: StackState | None) -> str:
        return "account 111122223333, region us-east-1"

    def is_protected(self, user_pool: str) -> bool:
        return self.stack.protected

    def iot_endpoint(self) -> str:
        return "prefix-ats.iot.us-east-1.amazonaws.com"

    def other_addresses(self) -> dict[str, str]:
        return {}


@dataclass
class Controls:
    """What a test changes about the services in memory, at any time. All apps of the test obey."""

    cloud: FakeCloud
    on_connect: Callable[[FakeConnection], None] = lambda _: None
    """Gets each new connection: to put events, or an end such as KeyboardInterrupt, on its queue."""
    fails_with: AwsIotError | None = None
    """Raised instead of giving access to the user pool."""
    keyring: Keyring | None = field(default_factory=FakeKeyring)
    is_at_terminal: bool = False
    probes: FakeProbes = field(default_factory=FakeProbes)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    pause: Callable[[float], None] = time.sleep


class FakeConfig(ConfigBuilder):
    """The stores, with a keyring in memory."""

    def __init__(self, settings: Settings, controls: Controls) -> None:
        super().__init__(settings)
        self._controls = controls

    @property
    def secrets(self) -> SecretStore:
        settings = self._settings
        return SecretStore(
            settings.folders.secrets, keyring=lambda: self._controls.keyring, report=settings.report
        )


class FakeAuth(AuthBuilder):
    """The user pool and the identity pool in memory."""

    def __init__(self, settings: Settings, config: ConfigBuilder, controls: Controls) -> None:
        super().__init__(settings, config)
        self._controls = controls

    def accounts(self, profile: Profile) -> Accounts:
        if self._controls.fails_with:
            raise self._controls.fails_with
        return FakeAccounts(self._controls.cloud)

    def issuer(self, profile: Profile) -> CredentialIssuer:
        return FakeIssuer(self._controls.cloud)


class FakeMessaging(MessagingBuilder):
    """The broker in memory."""

    def __init__(self, settings: Settings, config: ConfigBuilder, controls: Controls) -> None:
        super().__init__(settings, config)
        self._controls = controls

    def connect(
        self,
        profile: Profile,
        identity: str,
        credentials: Callable[[], Credentials],
        durable: str | None = None,
        will: Publication | None = None,
        *,
        is_temporary: bool = False,
    ) -> Connection:
        connection = FakeConnection(self._controls.cloud, identity, durable, will, is_temporary=is_temporary)
        self._controls.on_connect(connection)
        return connection

    def connect_several(
        self,
        profile: Profile,
        identity: str,
        credentials: Callable[[], Credentials],
        count: int,
        meanwhile: Callable[[], object] = lambda: None,
    ) -> list[Connection]:
        connections = [self.connect(profile, identity, credentials) for _ in range(count)]
        meanwhile()
        return connections


class FakeDoctor(DoctorBuilder):
    """The probes in memory."""

    def __init__(self, settings: Settings, config: ConfigBuilder, controls: Controls) -> None:
        super().__init__(settings, config)
        self._controls = controls

    def probes(self, profile: Profile, *, live_session: bool = False) -> Probes:
        return self._controls.probes


class FakeAdmin(AdminBuilder):
    """The AWS account in memory."""

    def __init__(self, settings: Settings, config: ConfigBuilder, cloud: FakeCloud) -> None:
        super().__init__(settings, config)
        self._cloud = cloud

    def members(self, profile: Profile, aws_profile: str | None) -> FakeMembers:
        return FakeMembers(self._cloud)

    def policy_reader(self, profile: Profile, aws_profile: str | None) -> FakePolicyReader:
        return FakePolicyReader(self._cloud)

    def deployment_target(
        self, name: str, region: str | None, aws_profile: str | None, profile: Profile | None = None
    ) -> FakeTarget:
        self._cloud.stack.name = name
        return FakeTarget(self._cloud.stack, region)


class FakeApp(App):
    """The parts, with the services in memory behind them."""

    def __init__(self, settings: Settings, controls: Controls) -> None:
        super().__init__(settings)
        self.controls = controls
        self.config = FakeConfig(settings, controls)
        self.auth = FakeAuth(settings, self.config, controls)
        self.messaging = FakeMessaging(settings, self.config, controls)
        self.doctor = FakeDoctor(settings, self.config, controls)
        self.admin = FakeAdmin(settings, self.config, controls.cloud)

    @classmethod
    def of(cls, cloud: FakeCloud, config_folder: Path) -> "FakeApp":
        """An app on these services."""
        controls = Controls(cloud)
        settings = Settings(
            Folders(config_folder),
            now=lambda: controls.now(),
            pause=lambda seconds: controls.pause(seconds),
            has_terminal=lambda: controls.is_at_terminal,
        )
        return cls(settings, controls)

    def replace(self, **settings: Any) -> Self:
        return type(self)(self.settings._replace(**settings), self.controls)


def arrive(app: FakeApp, *events: Event | BaseException) -> None:
    """The next connection gets these events, and then Ctrl-C."""

    def put(connection: FakeConnection) -> None:
        for event in (*events, KeyboardInterrupt()):
            connection.events.put(event)

    app.controls.on_connect = put
