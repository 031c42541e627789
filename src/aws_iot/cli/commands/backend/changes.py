"""How a change to a resource is shown, with what a replacement would lose."""

from aws_iot.backend.stack import Change

_LOSSES = {
    "AWS::Cognito::UserPool": "; all accounts are lost",
    "AWS::Cognito::UserPoolClient": "; members need new exports and must sign in again",
    "AWS::Cognito::IdentityPool": "; all identities are lost: every member must be accepted again",
}


def as_text(change: Change) -> str:
    """A change on one line."""
    what = f"{change.action} {change.resource} ({change.kind})"
    if change.properties:
        what += f": {', '.join(change.properties)}"
    loss = _LOSSES.get(change.kind, "")
    if change.replacement == "True":
        return f"{what}  [REPLACED{loss}]"
    if change.replacement == "Conditional":
        cause = " and ".join(change.causes) or "a cause that CloudFormation does not name"
        return f"{what}  [may be REPLACED, because of {cause}{loss}]"
    if change.action == "Remove":
        return f"{what}{loss}"
    return what
