"""The exit codes and what they mean, from the docstrings of the errors."""

from aws_iot import errors


def exit_codes() -> dict[int, str]:
    """What each exit code means, in ascending order."""
    found = {
        0: "Success.",
        1: "You declined a prompt; or an internal error (with a traceback; please report it).",
        2: "Usage error, such as an impossible room name: see `--help`.",
    }
    for error in errors.AwsIotError.__subclasses__():
        if error.__module__ == errors.__name__:
            found[error.exit_code] = (error.__doc__ or "").splitlines()[0]
    found |= {129: "SIGHUP (the terminal was closed).", 130: "Ctrl-C.", 143: "SIGTERM."}
    return dict(sorted(found.items()))
