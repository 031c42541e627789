"""`aws-iot doctor --policy`: which statement of which policy allows or refuses something."""

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aws_iot.app import App
from aws_iot.cli import options
from aws_iot.cli.commands.admin import LATER, check_identities
from aws_iot.cli.ui import output
from aws_iot.config.profile import Profile
from aws_iot.errors import AwsIotError, Indeterminate, LocalError, NotAuthorized, ProfileNotFound
from aws_iot.files import read
from aws_iot.policy.access import (
    ACTIONS,
    CLIENT_SUFFIX,
    ROOM,
    Answer,
    LayerDecision,
    Person,
    PolicyLayer,
    Question,
    accounts,
    answer,
    is_pattern,
    names_the_pool,
    questions,
)
from aws_iot.policy.access import rooms as rooms_in
from aws_iot.policy.evaluate import AUD, Document, Match, Verdict, parse, short, wants, what_is_open

if TYPE_CHECKING:
    from aws_iot.aws.admin.policies import Authorization, Opinion

NO_ACCOUNT = "0" * 12
"""What stands for the account where nothing names one."""

MOST = 5
"""So many statements, accounts or rooms are told of at most."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the options of `--policy` say."""

    room: str | None
    topic: str | None
    actions: tuple[str, ...]
    retain: bool
    identity: str | None
    client: str | None
    context: Mapping[str, Sequence[str]]
    role_policies: tuple[Path, ...]
    iot_policies: tuple[Path, ...]
    pool: str | None
    account: str | None
    aws_profile: str | None

    @property
    def offline(self) -> bool:
        """Whether the policies are given."""
        return bool(self.role_policies or self.iot_policies)

    @property
    def narrowed(self) -> bool:
        """Whether less is asked than what `sub` and `pub` need."""
        return bool(self.actions) or is_pattern(self.topic or self.room or "")


def _context(_ctx: click.Context, _: click.Parameter, given: tuple[str, ...]) -> Mapping[str, Sequence[str]]:
    values: dict[str, list[str]] = {}
    for one in given:
        key, found, value = one.partition("=")
        if not (key and found):
            raise click.BadParameter(f"'{one}' is not KEY=VALUE.")
        if what := wants(key, value):
            raise click.BadParameter(f"{key} is {what}; '{value}' is not.")
        values.setdefault(key, []).append(value)
    return values


def _account(_ctx: click.Context, _: click.Parameter, given: str | None) -> str | None:
    if given is not None and not (len(given) == 12 and given.isascii() and given.isdigit()):
        raise click.BadParameter("an AWS account is 12 digits.")
    return given


def _pool(_ctx: click.Context, _: click.Parameter, given: str | None) -> str | None:
    if given is None or re.fullmatch(r"[\w-]+:[0-9A-Fa-f-]+", given):
        return given
    what = "a user pool" if re.fullmatch(r"[\w-]+_\w+", given) else "no identity pool"
    raise click.BadParameter(f"'{given}' is {what}: give the identity pool; one looks like us-east-1:6a1c…")


def _file(*names: str, env: str, help: str) -> options.Decorator:  # noqa: A002 Click's word
    kind = click.Path(path_type=Path, dir_okay=False)
    return options.option(*names, env=env, multiple=True, type=kind, metavar="FILE", help=help)


_OPTIONS = (
    options.option(
        "--policy",
        env="DOCTOR_POLICY",
        is_flag=True,
        help="Explain what policies allow, as said above. The options from here to --aws-profile go only with it;"
        " those to sign in with, such as -u and -p, only without it.",
    ),
    options.option(
        "--topic", env="DOCTOR_TOPIC", metavar="TOPIC", help="In place of a room, this topic, as it is."
    ),
    options.option(
        "--action",
        "actions",
        env="DOCTOR_ACTION",
        multiple=True,
        type=click.Choice([*ACTIONS]),
        help="Ask only for this; can be repeated.  [default: all but retain]",
    ),
    options.option("--retain", env="RETAIN", is_flag=True, help="Ask for what `pub --retain` needs, too."),
    options.option(
        "--identity",
        env="DOCTOR_IDENTITY",
        metavar="IDENTITY",
        help="Who.  [default: who is signed in]",
    ),
    options.option(
        "--client-id",
        "client",
        env="DOCTOR_CLIENT_ID",
        metavar="CLIENT",
        help="The client id to connect with.  [default: the identity, '-' and 8 characters]",
    ),
    options.option(
        "--context",
        env="DOCTOR_CONTEXT",
        multiple=True,
        callback=_context,
        metavar="KEY=VALUE",
        help="What else policies look at, such as aws:SourceIp=203.0.113.7; can be repeated.",
    ),
    _file(
        "--role-policy",
        "role_policies",
        env="DOCTOR_ROLE_POLICY",
        help="A policy of the role, as JSON; none is read from AWS then; can be repeated.",
    ),
    _file(
        "--iot-policy",
        "iot_policies",
        env="DOCTOR_IOT_POLICY",
        help="An IoT policy of the identity, as JSON; the same; can be repeated.",
    ),
    options.option(
        "--pool",
        env="DOCTOR_POOL",
        metavar="POOL",
        callback=_pool,
        help="With such files: the identity pool.  [default: the profile's]",
    ),
    options.option(
        "--account",
        env="DOCTOR_ACCOUNT",
        metavar="ACCOUNT",
        callback=_account,
        help="With such files: the AWS account.  [default: the one that they name, most often]",
    ),
    options.aws_profile,
)


def about_policies(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of `doctor` that go with `--policy`."""
    for decorate in reversed(_OPTIONS):
        command = decorate(command)
    return command


_OTHERS = ("user", "password", "password_stdin", "mfa_code", "mfa_method", "new_password", "attribute")


def refuse_without_policy(ctx: click.Context) -> None:
    """Options that go with `--policy` would go unheard without it."""
    if given := _given_of(ctx, [name for name in Asked.__slots__ if name != "room"]):
        raise click.UsageError(f"{given} goes with --policy.")


def _given_of(ctx: click.Context, names: Collection[str]) -> str | None:
    """The first of these options that stands on the command line."""
    for param in ctx.command.params:
        source = ctx.get_parameter_source(param.name or "")
        if param.name in names and source is click.core.ParameterSource.COMMANDLINE:
            return max(param.opts, key=len)
    return None


def explain(ctx: click.Context, app: App, key: str, as_json: bool, asked: Asked) -> None:
    """Print what is allowed and by what. Raises `NotAuthorized` if not all is, `Indeterminate` if that is not known."""
    if given := _given_of(ctx, _OTHERS):
        raise click.UsageError(f"{given} goes without --policy, which signs nobody in: give --identity.")
    _check(asked)
    profile = _profile(app, key, asked)
    pool = asked.pool or (profile.identity_pool_id if profile else "")
    identity = asked.identity or _who_is_in(app, profile, key)
    check_identities(pool, [identity])
    reader = app.authorization(profile, asked.aws_profile) if profile and not asked.offline else None
    layers, account = reader.read(identity) if reader else _given(asked)
    person = Person(
        identity,
        pool,
        asked.client or identity + CLIENT_SUFFIX,
        profile.iot_region if profile else pool.partition(":")[0],
        account or _account_in([one for layer in layers for one in layer.documents]),
        _known(app, asked),
    )
    wanted = questions(person, room=asked.room, at=asked.topic, actions=asked.actions, retain=asked.retain)
    answers = [answer(one, person, layers) for one in wanted]
    opinions, trouble = _opinions(reader, person, wanted)
    if as_json:
        for one in answers:
            output.data(json.dumps(_as_object(person, one, opinions.get(one.question))))
    else:
        for line in _report(person, layers, answers, opinions):
            output.data(output.visible(line))
    if trouble:
        output.info(f"Without IoT's own opinion: {short(trouble)}.")
    for name in names_the_pool([one for layer in layers if layer.name == "IoT" for one in layer.documents]):
        output.info(
            f"{name}: AWS documents ${{{AUD}}} for policies of a role only; better name the pool itself."
        )
    _judge(Case(profile, asked, person, layers), answers)


def _check(asked: Asked) -> None:
    if asked.room is not None and asked.topic is not None:
        raise click.UsageError("--room and --topic exclude each other.")
    if not asked.offline and (asked.pool or asked.account):
        raise click.UsageError("--pool and --account go with --role-policy and --iot-policy.")
    pattern = asked.topic or asked.room or ""
    if is_pattern(pattern) and (asked.retain or {*asked.actions} - {"connect", "subscribe"}):
        raise click.UsageError(
            f"'{pattern}' is a pattern, which can only be subscribed to: give a room or a topic."
        )


def _profile(app: App, key: str, asked: Asked) -> Profile | None:
    """None where the files and options say all of it."""
    needed = {"--identity IDENTITY": asked.identity, "--pool POOL": asked.pool}
    missing = [option for option, given in needed.items() if not given]
    if asked.offline and not missing:
        return None
    try:
        return app.profiles.load(key)
    except ProfileNotFound as error:
        if not asked.offline:
            raise
        raise ProfileNotFound(
            str(error), f"With files it goes without: give {' and '.join(missing)}, too."
        ) from error


def _who_is_in(app: App, profile: Profile | None, key: str) -> str:
    saved = app.sessions.load(profile) if profile else None
    if saved is None:
        raise click.UsageError(f"Who? Give --identity IDENTITY, or sign in: aws-iot login -k {key}")
    return saved.identity


def _given(asked: Asked) -> tuple[Sequence[PolicyLayer], str | None]:
    """The layers by the files that are given, and the account."""
    files = {"role": ("--role-policy", asked.role_policies), "IoT": ("--iot-policy", asked.iot_policies)}
    layers = []
    for name, (option, paths) in files.items():
        documents = tuple(parse(str(path), _read(path)) for path in paths)
        doubt = None if paths else f"no policy of it is given ({option} FILE)"
        layers.append(PolicyLayer(name, ", ".join(one.name for one in documents), documents, doubt))
    return layers, asked.account


def _read(path: Path) -> bytes:
    if (found := read(path)) is None:
        raise LocalError(f"{path}: there is no such file")
    return found


def _account_in(documents: Sequence[Document]) -> str:
    """The account that most statements are for; where some are for another, that is told."""
    named = accounts(documents)
    account, *others = named or [NO_ACCOUNT]
    for other in others[:MOST]:
        first, *more = named[other]
        output.info(
            f"{first}{f' and {len(more)} more' if more else ''}: for the AWS account {other}. Others are for"
            f" {account}, which is taken here (--account takes another)."
        )
    return account


def _known(app: App, asked: Asked) -> Mapping[str, Sequence[str]]:
    """What is known of the request besides who asks what."""
    now = app.now()
    known: dict[str, Sequence[str]] = {
        "aws:CurrentTime": [now.isoformat()],
        "aws:EpochTime": [str(int(now.timestamp()))],
    }
    if asked.client is None:  # only `sub --durable` asks for a session that is kept
        known["iot:ConnectAttributes"] = []
    return known | dict(asked.context)


def _opinions(
    reader: "Authorization | None", person: Person, wanted: Sequence[Question]
) -> "tuple[Mapping[Question, Opinion], str | None]":
    """With why there are none."""
    try:
        return (reader.ask(person, wanted) if reader else {}), None
    except AwsIotError as error:
        return {}, str(error)


@dataclass(frozen=True, slots=True)
class Case:
    """What was asked about whom, and what it is decided by."""

    profile: Profile | None
    asked: Asked
    person: Person
    layers: Sequence[PolicyLayer]


def _judge(case: Case, answers: Sequence[Answer]) -> None:
    refused = [one for one in answers if one.verdict is Verdict.REFUSED]
    undecided = [one for one in answers if one.verdict is Verdict.UNDECIDED]
    if closed := next((one.closed for one in case.layers if one.closed and not one.doubt), None):
        key = f" -k {case.profile.key}" if case.profile else ""
        hint = f"No policy can change that. Look at the profile: aws-iot config show{key}"
        raise NotAuthorized(f"{closed}: nothing is allowed", hint=hint)
    if refused:
        raise NotAuthorized(f"refused: {_actions(refused)}", hint=_what_to_do(case, refused))
    if undecided:
        depends = {key for one in undecided for decided in one.decisions for key in decided.decision.depends}
        unread = not case.asked.offline and any(one.doubt and not one.documents for one in case.layers)
        told = [
            what_is_open(depends),
            "An admin's AWS credentials may read more: --aws-profile NAME" if unread else "",
        ]
        raise Indeterminate(
            f"it cannot be told whether this is allowed: {_actions(undecided)}", "\n".join(filter(None, told))
        )
    told = [f"Allowed: {_actions(answers)}." if case.asked.narrowed else "All of it is allowed."]
    if is_pattern(case.asked.topic or case.asked.room or ""):
        told.append("A pattern can only be subscribed to: what may be heard and said there, ask of a room.")
    output.info(
        " ".join([*told, "What was changed just now may not be in force yet: AWS takes 6 to 8 minutes."])
    )


def _what_to_do(case: Case, refused: Sequence[Answer]) -> str:
    decisions = [
        decided for one in refused for decided in one.decisions if decided.verdict is Verdict.REFUSED
    ]
    profile, asked = case.profile, case.asked
    key = f" -k {profile.key}" if profile else ""
    if any(one.layer.name == "IoT" and not one.layer.documents for one in decisions):
        policy = "" if profile and profile.policy_name else " --policy POLICY"
        return f"An admin accepts it with: aws-iot admin accept {case.person.identity}{policy}{key}\n{LATER}"
    if asked.room is None and asked.topic is None and (rooms := _rooms(case)):
        yours = " or -r ".join(rooms)
        return f"That is about all rooms at once, and '{ROOM}' to speak in. Name one of yours: -r {yours}"
    layers = dict.fromkeys(one.layer.name for one in decisions)
    told = f"It takes a change of {' and '.join(_LAYERS[name] for name in layers)}. {LATER}"
    denied = any(one.decision.found for one in decisions)
    return told + ("" if denied else _room_to_add(case, refused))


def _rooms(case: Case) -> list[str]:
    """Some rooms that may be heard."""
    pool = case.person.pool
    named = rooms_in([one for layer in case.layers for one in layer.documents], pool)[:MOST]
    asked = {room: Question("iot:Subscribe", f"topicfilter/{pool}/{room}/+") for room in named}
    return [one for one in named if answer(asked[one], case.person, case.layers).verdict is Verdict.ALLOWED]


def _room_to_add(case: Case, refused: Sequence[Answer]) -> str:
    """How the backend's own template lets members into one room more, where its role is what knows of others only."""
    from aws_iot import backend

    name, room = case.profile and case.profile.policy_name, case.asked.room
    parts = [
        part
        for layer in case.layers
        if layer.name == "role"
        for one in layer.documents
        for part in one.statements
    ]
    taken = next((len(part.resources) for part in parts if part.label == backend.SID_OF_ROOMS), 0)
    by_role = any(
        one.layer.name == "role" and one.verdict is Verdict.REFUSED
        for answer in refused
        for one in answer.decisions
    )
    connect = any(one.question.action == "iot:Connect" for one in refused)
    parameter = f"Room{taken + 1}"
    if (
        not (name and room and taken and by_role)
        or is_pattern(room)
        or connect
        or parameter not in backend.parameters()
    ):
        return ""
    stack = name.removesuffix("-member")
    command = f"aws-iot backend deploy --name {stack} --parameter {parameter}={room}"
    return f"\nWhere the backend is aws-iot's own, this shows the change, and asks: {command}"


_LAYERS = {
    "role": "a policy of the role",
    "boundary": "the permissions boundary of the role",
    "IoT": "an IoT policy of the identity",
}


def _actions(answers: Iterable[Answer]) -> str:
    return ", ".join(one.question.action for one in answers)


# -- for people


def _report(
    person: Person,
    layers: Iterable[PolicyLayer],
    answers: Iterable[Answer],
    opinions: "Mapping[Question, Opinion]",
) -> Iterator[str]:
    yield f"identity   {person.identity}"
    yield f"client id  {person.client}"
    yield f"account    {person.account} in {person.region}"
    for layer in layers:
        own = ", ".join(one.name for one in layer.documents)
        of = layer.of if own in ("", layer.of) else f"{layer.of}: {own}"
        known = [short(of), *([f"cannot be told: {layer.doubt}"] if layer.doubt else [])]
        yield f"{layer.name:<9}  {'; '.join(filter(None, known)) or 'none'}"
    for one in answers:
        yield ""
        yield f"{_WORDS[one.verdict]:<9}  {one.question.action} on {one.question.resource}"
        for decided in one.decisions:
            first, *rest = _says(decided, one.question)
            yield f"  {decided.layer.name:<9}{first}"
            yield from (f"{'':11}{line}" for line in rest)
        if opinion := opinions.get(one.question):
            yield f"  {'AWS':<9}{_opinion(opinion, one)}"


_WORDS = {Verdict.ALLOWED: "allowed", Verdict.REFUSED: "REFUSED", Verdict.UNDECIDED: "undecided"}


def _says(decided: LayerDecision, question: Question) -> Iterator[str]:
    layer, decision = decided.layer, decided.decision
    if layer.doubt:
        yield "cannot be told"
    elif layer.closed:
        yield layer.closed
    elif not layer.documents:
        yield "no IoT policy is attached to this identity" if layer.name == "IoT" else "it has no policy"
    if not layer.documents:
        return
    if decision.verdict is Verdict.ALLOWED:
        yield _statement(decision.found[0], "allows it")
        return
    for found in decision.found[:MOST]:
        does = "denies it" if found.effect == "Deny" else "allows it"
        only = f", depending on {short(', '.join(sorted(found.depends)))}" if found.depends else ""
        yield _statement(found, does) + only
    if not decision.found:
        about = "" if decision.near else f", and none that allows anything is about {question.action}"
        yield f"no statement allows it{about}"
        for near in sorted(decision.near, key=lambda one: one.why.startswith("it is for "))[:MOST]:
            yield f"near: {near.document}, {near.statement}: {near.why}"
    if (more := len(decision.found or decision.near) - MOST) > 0:
        yield f"and {more} more"


def _statement(found: Match, does: str) -> str:
    resource = short(found.resource.split(":", 5)[-1])
    return f"{found.document}, {found.statement} {does}: {short(found.action)} on {resource}"


def _opinion(opinion: "Opinion", answer: Answer) -> str:
    by = f" ({', '.join(opinion.policies)})" if opinion.policies else ""
    missing = f", without knowing {', '.join(opinion.missing)}" if opinion.missing else ""
    ours = next((one.verdict for one in answer.decisions if one.layer.name == "IoT"), Verdict.UNDECIDED)
    other = ours is not Verdict.UNDECIDED and (ours is Verdict.ALLOWED) != (opinion.decision == "ALLOWED")
    surprise = ", which is not what the IoT policies say here" if other else ""
    return f"TestAuthorization says {opinion.decision}{by}{missing}{surprise}"


# -- for programs


def _as_object(person: Person, answer: Answer, opinion: "Opinion | None") -> dict[str, Any]:
    return {
        "action": answer.question.action,
        "resource": person.arn(answer.question.resource),
        "identity": person.identity,
        "client": person.client,
        "verdict": answer.verdict.name.lower(),
        "gates": [_gate_as_object(one) for one in answer.decisions],
        "test_authorization": opinion and asdict(opinion),
    }


def _gate_as_object(decided: LayerDecision) -> dict[str, Any]:
    decision = decided.decision
    return {
        "gate": decided.layer.name,
        "of": decided.layer.of,
        "documents": [one.name for one in decided.layer.documents],
        "verdict": decided.verdict.name.lower(),
        "doubt": decided.layer.doubt,
        "closed": decided.layer.closed,
        "depends": decision.depends,
        "statements": [asdict(one) | {"depends": sorted(one.depends)} for one in decision.found],
        "near": [asdict(one) for one in decision.near],
    }
