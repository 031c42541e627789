"""`aws-iot doctor --policy`: which statement of which policy allows or refuses something."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aws_iot.app import App
from aws_iot.authorization import (
    ACTIONS,
    CLIENT_SUFFIX,
    Answer,
    Gate,
    Passage,
    Person,
    Question,
    accounts,
    answer,
    names_the_pool,
    questions,
)
from aws_iot.cli import options
from aws_iot.cli.admin import LATER, check_identities
from aws_iot.cli.output import data, visible, words
from aws_iot.errors import AwsIotError, NotAuthorized, ProfileError, Undecided
from aws_iot.files import read
from aws_iot.policy import AUD, Document, Found, Verdict, parse, what_is_open
from aws_iot.profile import Profile

if TYPE_CHECKING:
    from aws_iot.aws.authorization import Authorization, Opinion

NO_ACCOUNT = "0" * 12
"""What stands for the account where nothing names one."""


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


def _context(_ctx: click.Context, _: click.Parameter, given: tuple[str, ...]) -> Mapping[str, Sequence[str]]:
    values: dict[str, list[str]] = {}
    for one in given:
        key, found, value = one.partition("=")
        if not found:
            raise click.BadParameter(f"'{one}' is not KEY=VALUE.")
        values.setdefault(key, []).append(value)
    return values


def _account(_ctx: click.Context, _: click.Parameter, given: str | None) -> str | None:
    if given is not None and not (len(given) == 12 and given.isascii() and given.isdigit()):
        raise click.BadParameter("an AWS account is 12 digits.")
    return given


def _file(*names: str, env: str, help: str) -> options.Decorator:  # noqa: A002 Click's word
    kind = click.Path(path_type=Path, dir_okay=False)
    return options.option(*names, env=env, multiple=True, type=kind, metavar="FILE", help=help)


_OPTIONS = (
    options.option(
        "--policy",
        env="DOCTOR_POLICY",
        is_flag=True,
        help="Explain what policies allow: see above. It has the options down to --aws-profile.",
    ),
    options.option(
        "--topic", env="DOCTOR_TOPIC", metavar="TOPIC", help="In place of a room, this topic, as it is."
    ),
    options.option(
        "--action",
        "actions",
        env="DOCTOR_ACTION",
        multiple=True,
        type=click.Choice(ACTIONS),
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
        help="With such files: the identity pool.  [default: the profile's]",
    ),
    options.option(
        "--account",
        env="DOCTOR_ACCOUNT",
        metavar="ACCOUNT",
        callback=_account,
        help="With such files: the AWS account.  [default: the one that they name]",
    ),
    options.aws_profile,
)


def about_policies(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of `doctor` that go with `--policy`."""
    for decorate in reversed(_OPTIONS):
        command = decorate(command)
    return command


_OTHERS = ("user", "password", "password_stdin")


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
    """Print what is allowed and by what. Raises `NotAuthorized` if not all is, `Undecided` if that is not known."""
    if given := _given_of(ctx, _OTHERS):
        raise click.UsageError(f"{given} goes without --policy, which signs nobody in: give --identity.")
    _check(asked)
    profile = None if asked.offline and asked.pool and asked.identity else app.profiles.load(key)
    pool = asked.pool or (profile.identity_pool_id if profile else "")
    identity = asked.identity or _who_is_in(app, profile, key)
    check_identities(pool, [identity])
    reader = app.authorization(profile, asked.aws_profile) if profile and not asked.offline else None
    gates, account = reader.read(identity) if reader else _given(asked)
    documents = [one for gate in gates for one in gate.documents]
    person = Person(
        identity,
        pool,
        asked.client or identity + CLIENT_SUFFIX,
        profile.iot_region if profile else pool.partition(":")[0],
        account or _account_in(documents),
        _known(app, asked),
    )
    wanted = questions(person, room=asked.room, at=asked.topic, actions=asked.actions, retain=asked.retain)
    if len(wanted) < len(set(asked.actions)):
        raise click.UsageError("A pattern can only be subscribed to: give a room or a topic.")
    answers = [answer(one, person, gates) for one in wanted]
    opinions = _opinions(reader, person, wanted) if reader else {}
    if as_json:
        for one in answers:
            data(json.dumps(_as_object(person, one, opinions.get(one.question))))
    else:
        for line in _report(person, gates, answers, opinions):
            data(visible(line))
    for name in names_the_pool([one for gate in gates if gate.name == "IoT" for one in gate.documents]):
        words(f"{name}: AWS documents ${{{AUD}}} for policies of a role only; better name the pool itself.")
    _judge(profile, identity, answers)


def _check(asked: Asked) -> None:
    if asked.room is not None and asked.topic is not None:
        raise click.UsageError("--room and --topic exclude each other.")
    if not asked.offline and (asked.pool or asked.account):
        raise click.UsageError("--pool and --account go with --role-policy and --iot-policy.")


def _who_is_in(app: App, profile: Profile | None, key: str) -> str:
    kept = app.sessions.load(profile) if profile else None
    if kept is None:
        raise click.UsageError(f"Who? Give --identity IDENTITY, or sign in: aws-iot login -k {key}")
    return kept.credentials.identity


def _given(asked: Asked) -> tuple[Sequence[Gate], str | None]:
    """The gates by the files that are given, and the account."""
    files = {"role": ("--role-policy", asked.role_policies), "IoT": ("--iot-policy", asked.iot_policies)}
    gates = []
    for name, (option, paths) in files.items():
        documents = tuple(parse(str(path), _read(path)) for path in paths)
        doubt = None if paths else f"no policy of it is given ({option} FILE)"
        gates.append(Gate(name, ", ".join(one.name for one in documents), documents, doubt))
    return gates, asked.account


def _read(path: Path) -> bytes:
    if (found := read(path)) is None:
        raise ProfileError(f"{path}: there is no such file")
    return found


def _account_in(documents: Sequence[Document]) -> str:
    named = accounts(documents)
    if len(named) > 1:
        raise click.UsageError(
            f"The policies name several AWS accounts ({', '.join(sorted(named))}): give --account."
        )
    return named.pop() if named else NO_ACCOUNT


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
    reader: "Authorization", person: Person, wanted: Sequence[Question]
) -> "Mapping[Question, Opinion]":
    try:
        return reader.ask(person, wanted)
    except AwsIotError as error:
        words(f"IoT's own TestAuthorization could not be asked: {error}.")
        return {}


def _judge(profile: Profile | None, identity: str, answers: Sequence[Answer]) -> None:
    refused = [one for one in answers if one.verdict is Verdict.REFUSED]
    undecided = [one for one in answers if one.verdict is Verdict.UNDECIDED]
    if refused:
        raise NotAuthorized(f"refused: {_actions(refused)}", hint=_what_to_do(profile, identity, refused))
    if undecided:
        depends = {key for one in undecided for passage in one.passages for key in passage.decision.depends}
        raise Undecided(
            f"it cannot be told whether this is allowed: {_actions(undecided)}", hint=what_is_open(depends)
        )
    words(
        "All of it is allowed. What was changed just now may not be in force yet: AWS takes 6 to 8 minutes."
    )


def _what_to_do(profile: Profile | None, identity: str, refused: Iterable[Answer]) -> str:
    passages = [passage for one in refused for passage in one.passages if passage.verdict is Verdict.REFUSED]
    key = f" -k {profile.key}" if profile else ""
    if closed := next((one.gate.closed for one in passages if one.gate.closed), None):
        return f"No policy can change that: {closed}. Look at the profile: aws-iot config show{key}"
    if any(_is_unaccepted(one) for one in passages):
        policy = "" if profile and profile.policy_name else " --policy POLICY"
        return f"An admin accepts it with: aws-iot admin accept {identity}{policy}{key}\n{LATER}"
    gates = dict.fromkeys(one.gate.name for one in passages)
    return f"It takes a change of {' and '.join(_GATES[name] for name in gates)}. {LATER}"


_GATES = {
    "role": "a policy of the role",
    "boundary": "the permissions boundary of the role",
    "IoT": "an IoT policy of the identity",
}


def _is_unaccepted(passage: Passage) -> bool:
    return passage.gate.name == "IoT" and not passage.gate.documents


def _actions(answers: Iterable[Answer]) -> str:
    return ", ".join(one.question.action for one in answers)


# -- for people


def _report(
    person: Person,
    gates: Iterable[Gate],
    answers: Iterable[Answer],
    opinions: "Mapping[Question, Opinion]",
) -> Iterator[str]:
    yield f"identity   {person.identity}"
    yield f"client id  {person.client}"
    yield f"account    {person.account} in {person.region}"
    for gate in gates:
        own = ", ".join(one.name for one in gate.documents)
        of = gate.of if own in ("", gate.of) else f"{gate.of}: {own}"
        yield f"{gate.name:<9}  {of or ('not known' if gate.doubt else 'none')}"
    for one in answers:
        yield ""
        yield f"{_WORDS[one.verdict]:<9}  {one.question.action} on {one.question.resource}"
        for passage in one.passages:
            first, *rest = _says(passage, one.question)
            yield f"  {passage.gate.name:<9}{first}"
            yield from (f"{'':11}{line}" for line in rest)
        if opinion := opinions.get(one.question):
            yield f"  {'AWS':<9}{_opinion(opinion, one)}"


_WORDS = {Verdict.ALLOWED: "allowed", Verdict.REFUSED: "REFUSED", Verdict.UNDECIDED: "undecided"}


def _says(passage: Passage, question: Question) -> Iterator[str]:
    gate, decision = passage.gate, passage.decision
    if gate.doubt:
        yield f"cannot be told: {gate.doubt}"
    if not gate.documents:
        if gate.closed:
            yield gate.closed
        elif not gate.doubt:
            yield "no IoT policy is attached to this identity" if gate.name == "IoT" else "it has no policy"
        return
    if decision.verdict is Verdict.ALLOWED:
        yield _statement(decision.found[0], "allows it")
        return
    for found in decision.found:
        does = "denies it" if found.effect == "Deny" else "allows it"
        only = f", depending on {', '.join(sorted(found.depends))}" if found.depends else ""
        yield _statement(found, does) + only
    if not decision.found:
        about = "" if decision.near else f", and none that allows anything is about {question.action}"
        yield f"no statement allows it{about}"
        for near in decision.near:
            yield f"near: {near.document}, {near.statement}: {near.why}"


def _statement(found: Found, does: str) -> str:
    return f"{found.document}, {found.statement} {does}: {found.action} on {found.resource.split(':', 5)[-1]}"


def _opinion(opinion: "Opinion", answer: Answer) -> str:
    by = f" ({', '.join(opinion.policies)})" if opinion.policies else ""
    missing = f", without knowing {', '.join(opinion.missing)}" if opinion.missing else ""
    ours = next((one.verdict for one in answer.passages if one.gate.name == "IoT"), Verdict.UNDECIDED)
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
        "gates": [_gate_as_object(one) for one in answer.passages],
        "test_authorization": opinion
        and {
            "decision": opinion.decision,
            "policies": list(opinion.policies),
            "missing": list(opinion.missing),
        },
    }


def _gate_as_object(passage: Passage) -> dict[str, Any]:
    decision = passage.decision
    return {
        "gate": passage.gate.name,
        "of": passage.gate.of,
        "documents": [one.name for one in passage.gate.documents],
        "verdict": passage.verdict.name.lower(),
        "doubt": passage.gate.doubt,
        "closed": passage.gate.closed,
        "depends": decision.depends,
        "statements": [
            {
                "document": one.document,
                "statement": one.statement,
                "effect": one.effect,
                "action": one.action,
                "resource": one.resource,
            }
            for one in decision.found
        ],
        "near": [
            {"document": one.document, "statement": one.statement, "why": one.why} for one in decision.near
        ],
    }
