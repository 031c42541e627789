"""Explain what policies allow: collect the policies, decide, print."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from aws_iot.app import App
from aws_iot.auth.session_store import signed_in_usernames
from aws_iot.cli.commands.policy.options import PolicyQuery
from aws_iot.cli.commands.policy.output import COLUMN, MAX_SHOWN, as_object, as_text
from aws_iot.cli.ui import output
from aws_iot.cli.ui.colors import Role, is_on, paint
from aws_iot.cli.ui.wrapping import columns_of, fill
from aws_iot.config.profile import Profile
from aws_iot.errors import AwsIotError, LocalError, NotAuthorized, ProfileNotFound
from aws_iot.files import read
from aws_iot.identities import identity_error
from aws_iot.messaging.connect import apply_delay
from aws_iot.policy.access import (
    CLIENT_SUFFIX,
    PolicyLayer,
    Principal,
    Question,
    decide_access,
    questions,
)
from aws_iot.policy.actions import ROOM
from aws_iot.policy.context import AUD
from aws_iot.policy.documents import (
    Document,
    accounts_in,
    documents_with_pool_variable,
    parse,
    shorten,
)
from aws_iot.policy.reader import AwsVerdict, PolicyReader
from aws_iot.policy.recovery import AccessReport, action_names, check_allowed

NO_ACCOUNT = "0" * 12
"""Stands for the AWS account if no policy names one."""

_ROLES = {"allowed": Role.GOOD, "REFUSED": Role.ERROR, "undecided": Role.WARNING}


def explain_policies(app: App, key: str, as_json: bool, query: PolicyQuery) -> None:
    """Print what is allowed, and by which statements.

    Raises `NotAuthorized` if something is refused, `Indeterminate` if something is undecided.
    """
    query.check()
    profile = _profile(app, key, query)
    reader, report = _decide(app, key, query, profile)
    aws_verdicts, problem = _aws_verdicts(reader, report)
    if as_json:
        for decision in report.decisions:
            aws_verdict = aws_verdicts.get(decision.question)
            output.data(json.dumps(as_object(report.principal, decision, aws_verdict)))
    else:
        columns = columns_of(sys.stdout) or sys.maxsize
        for line in as_text(report, aws_verdicts):
            label, text = line[:COLUMN], output.visible(line[COLUMN:])
            for number, part in enumerate(fill(text, columns, label, " " * COLUMN) or [label]):
                output.data(part if number or not is_on() else _painted(part))
    if problem:
        output.info(f"Without AWS's own verdict: {shorten(problem)}.")
    for name in documents_with_pool_variable(_iot_documents(report)):
        output.info(f"{name}: AWS documents ${{{AUD}}} for role policies only; name the pool itself instead.")
    user = profile and _of_identity(app, profile, report.principal.identity)
    try:
        check_allowed(report, user, query.source.aws_profile)
    except NotAuthorized as error:
        error.hint = "\n".join(filter(None, [error.hint, _how_to_add_room(report, profile)]))
        raise
    is_slow = not profile or bool(apply_delay(profile))
    output.info(_success(report, query, is_slow=is_slow))


def _painted(line: str) -> str:
    """The line with its verdict in color, if it begins with one."""
    verdict = line.partition(" ")[0]
    return paint(verdict, _ROLES[verdict]) + line.removeprefix(verdict) if verdict in _ROLES else line


def _decide(
    app: App, key: str, query: PolicyQuery, profile: Profile | None
) -> tuple[PolicyReader | None, AccessReport]:
    """The decisions, and the reader of the policies if they come from AWS."""
    pool = query.source.pool or (profile.identity_pool_id if profile else "")
    identity = query.identity or _signed_in_identity(app, profile, key)
    if wrong := identity_error(identity, pool):
        raise click.BadParameter(f"{wrong}.")
    reader = (
        app.admin.policy_reader(profile, query.source.aws_profile)
        if profile and not query.source.is_files
        else None
    )
    layers, account = reader.read(identity) if reader else (_layers_from_files(query), query.source.account)
    principal = Principal(
        identity,
        pool,
        query.client or identity + CLIENT_SUFFIX,
        profile.iot_region if profile else pool.partition(":")[0],
        account or _account_in([one for layer in layers for one in layer.documents]),
        _condition_values(app, query),
    )
    asked = questions(principal, room=query.room, at=query.topic, actions=query.actions, retain=query.retain)
    decisions = [decide_access(one, principal, layers) for one in asked]
    return reader, AccessReport(principal, layers, decisions, query.room, query.topic, query.source.is_files)


def _profile(app: App, key: str, query: PolicyQuery) -> Profile | None:
    """None if files and options replace it."""
    needed = {"--identity IDENTITY": query.identity, "--pool POOL": query.source.pool}
    missing = [option for option, given in needed.items() if not given]
    if query.source.is_files and not missing:
        return None
    try:
        return app.config.profiles.load(key)
    except ProfileNotFound as error:
        if not query.source.is_files:
            raise
        hint = f"Policy files need no profile if you also give {' and '.join(missing)}."
        raise ProfileNotFound(str(error), hint) from error


def _signed_in_identity(app: App, profile: Profile | None, key: str) -> str:
    saved = app.auth.sessions.load(profile) if profile else None
    if saved is None:
        raise click.UsageError(f"Give --identity IDENTITY, or sign in: aws-iot login -k {key}")
    return saved.identity


def _of_identity(app: App, profile: Profile, identity: str) -> Profile:
    """The profile, with the user name of the identity if that is signed in here."""
    known = signed_in_usernames(app.config.profiles, app.auth.sessions, profile.identity_pool_id)
    return profile._replace(username=known.get(identity))


def _layers_from_files(query: PolicyQuery) -> Sequence[PolicyLayer]:
    files = {
        "role": ("--role-policy", query.source.role_policies),
        "IoT": ("--iot-policy", query.source.iot_policies),
    }
    layers = []
    for name, (option, paths) in files.items():
        documents = tuple(parse(str(path), _read(path)) for path in paths)
        doubt = None if paths else f"no policy was given ({option} FILE)"
        layers.append(PolicyLayer(name, ", ".join(one.name for one in documents), documents, doubt))
    return layers


def _read(path: Path) -> bytes:
    if (found := read(path)) is None:
        raise LocalError(f"{path}: there is no such file")
    return found


def _account_in(documents: Sequence[Document]) -> str:
    """The account that most statements name; print which statements name another."""
    named = accounts_in(documents)
    account, *others = named or [NO_ACCOUNT]
    for other in others[:MAX_SHOWN]:
        first, *more = named[other]
        output.info(
            f"{first}{f' and {len(more)} more' if more else ''}: for AWS account {other}. Most statements are"
            f" for {account}, so that account is used; --account chooses another."
        )
    return account


def _condition_values(app: App, query: PolicyQuery) -> Mapping[str, Sequence[str]]:
    """The known values of condition keys, apart from identity, pool and client ID."""
    now = app.settings.now()
    known: dict[str, Sequence[str]] = {
        "aws:CurrentTime": [now.isoformat()],
        "aws:EpochTime": [str(int(now.timestamp()))],
    }
    if query.client is None:  # `sub --durable` needs a persistent session, and `chat` can do without
        known["iot:ConnectAttributes"] = []
    return known | dict(query.context)


def _aws_verdicts(
    reader: PolicyReader | None, report: AccessReport
) -> tuple[Mapping[Question, AwsVerdict], str | None]:
    """The answers of AWS's TestAuthorization, or why there are none."""
    try:
        asked = [one.question for one in report.decisions]
        return (reader.aws_verdicts(report.principal, asked) if reader else {}), None
    except AwsIotError as error:
        return {}, str(error)


def _iot_documents(report: AccessReport) -> list[Document]:
    return [one for layer in report.layers if layer.name == "IoT" for one in layer.documents]


def _how_to_add_room(report: AccessReport, profile: Profile | None) -> str | None:
    """How our own template allows one more room, if that is all that is missing."""
    from aws_iot.backend.rooms import command_to_add_room

    if not (report.room and profile and profile.policy_name and report.needs_room_in_role()):
        return None
    role = [one for layer in report.layers if layer.name == "role" for one in layer.documents]
    statements = [statement for document in role for statement in document.statements]
    command = command_to_add_room(report.room, statements, profile.policy_name)
    return command and (
        f"If you deployed the backend with aws-iot, this command shows the change and asks first: {command}"
    )


def _success(report: AccessReport, query: PolicyQuery, *, is_slow: bool) -> str:
    only = bool(query.actions) or report.is_pattern
    sentences = [f"Allowed: {action_names(report.decisions)}." if only else "Everything is allowed."]
    if (
        report.room is None
        and report.topic is None
        and any(one.question.action == "iot:Publish" for one in report.decisions)
    ):
        sentences.append(
            f"Without -r, this is for subscribing to all rooms, and for sending to the room '{ROOM}'."
        )
    if report.is_pattern:
        sentences.append("A pattern allows only subscribing. To check receiving and publishing, name a room.")
    if is_slow:
        sentences.append("Recent changes may not apply yet: AWS takes 6 to 8 minutes.")
    return " ".join(sentences)
