"""The topics of `aws-iot help`."""

from typing import NamedTuple


class Topic(NamedTuple):
    """A page of help that belongs to no single command. Lists of variables and codes are appended to two of them."""

    summary: str
    text: str


TOPICS = {
    "environment": Topic(
        "Environment variables, including those of each option.",
        """Every option has an environment variable. It applies if you do not give the option.

\b
Examples:
  AWS_IOT_ROOM=lobby aws-iot pub -m hello
  AWS_IOT_ROOM="$(printf 'lobby\\nops/#')" aws-iot sub
  export AWS_IOT_PROFILE=team
  aws-iot help environment sub

Variables for passwords, secrets and codes are not passed on to the commands that `aws-iot` runs.

A flag is set by 1 or true, and not set by 0 or false. An empty variable counts as not set. For an option that can be
repeated, each line of the variable is a value, so values may contain spaces and colons.

\b
Variables without an option:
  AWS_IOT_CONFIG_DIR  the folder for profiles, sessions and saved secrets, instead of your system's settings folder
  AWS_IOT_SECRETS     where to save secrets: keyring, or file
  HTTPS_PROXY         the proxy for all connections; NO_PROXY lists hosts without it
  AWS_CA_BUNDLE       a PEM file of the authorities to trust, if the profile names none; or REQUESTS_CA_BUNDLE
  AWS_…               the AWS credentials of admins, as for the AWS CLI
  NO_COLOR            if set, no colors
  CLICOLOR_FORCE      if 1, colors even in files and pipes
  CLICOLOR, TERM      if 0 or dumb, no colors""",
    ),
    "exit-codes": Topic(
        "What each exit code means.",
        "The same cause has the same exit code in every command. `doctor` exits with the code of what it found.",
    ),
    "rooms": Topic(
        "Names of rooms, and patterns for several rooms.",
        """A room needs no setup: it exists while people use it. The IoT policy of your team decides who may use which.

\b
Names:
  - A name can have levels, separated by up to 5 slashes, such as ops/berlin.
  - Upper and lower case differ.
  - +, # and control characters are not allowed.
  - The length is limited: the topic (pool, room and identity) has up to 256 bytes.

\b
Patterns, for `sub` and `policy`:
  ops/+  every room directly in ops
  ops/#  ops itself, and every room below it
  #      every room

Quote patterns, because your shell may interpret them.

\b
Examples:
  aws-iot sub -r lobby -r 'ops/#'
  aws-iot pub -r ops/berlin -m hello""",
    ),
    "profiles": Topic(
        "What a profile is, and which user is signed in.",
        """A profile has your team's pools and endpoint under a key. `aws-iot init` creates one step by step, and
`aws-iot config -s FILE` from the exports file of your team. Without -k KEY and AWS_IOT_PROFILE, commands use the
profile that `aws-iot config use` has chosen, or else `default`.

The user is, in this order: -u USER or AWS_IOT_USER, the signed-in user, the user preset in the profile.

-p PASS is visible to other programs on this machine, in the list of processes. Prefer the prompt, --password-stdin or
AWS_IOT_PASSWORD.

Passwords, tokens and client secrets are never in a profile. They are saved in your system's keyring, or in files that
only you can read if there is none. AWS_IOT_SECRETS=keyring or =file chooses.

\b
Examples:
  aws-iot config -s aws-exports.json -k team
  aws-iot config list
  aws-iot login -u alice -k team""",
    ),
    "streams": Topic(
        "How `pub` sends many messages.",
        """`pub --lines` sends each line of its input as a message, and `pub --json-lines` each line that `sub --json`
printed. The input is standard input, or --file FILE; - is standard input, too.

\b
  - Blank lines are skipped, except with --raw.
  - Messages arrive in order, unless you use --connections.
  - AWS IoT Core drops messages above 100 a second on a connection. --rate, which is for each connection, keeps below
    that.
  - If a message cannot be sent, `pub` prints its number and continues with the next. The exit code depends on the
    cause, as for a single message. With several causes it is 5 if any message was not authorized, otherwise 7.
  - If the connection is lost, `pub` waits until it is back, without a limit: the input waits, too. Ctrl-C stops. With
    --spool, messages are saved, and `pub` waits for --timeout after the end of the input.
  - If a broker acknowledges nothing for --timeout, `pub` connects again. If it still acknowledges nothing, the exit
    code is 6.
  - --retain requires the permission iot:RetainPublish.
  - What is acknowledged is saved in your history, unless you use --no-history.

\b
With --resume FILE:
  - FILE records how far the input was acknowledged. The same command continues there.
  - Rejected messages are sent again, up to 10,000 of them.

\b
With --spool DIR:
  - Each message is saved in DIR until it is acknowledged. A crash loses none.
  - Without a connection or a session, the whole input is saved. The next run with DIR sends it first.
  - Several programs can share DIR. One of them sends all messages.

\b
Examples:
  tail -f app.log | aws-iot pub -r logs --lines --spool unsent
  aws-iot pub -r bulk --lines --file big.txt --resume progress
  aws-iot pub -r bulk --lines --file big.txt --connections 4""",
    ),
    "conversation": Topic(
        "How to reply, react, edit and delete.",
        """Messages can refer to others. `pub` sends such messages, and `history` shows what has become of each.

\b
Options of pub:
  --reply-to ID     what you send is a reply
  --react EMOJI ID  an emoji or a short word; nothing else is sent
  --edit ID         what you send replaces the text of your message
  --delete ID       deletes your message, or takes back your reaction or edit

\b
ID is one of these:
  - `last`, the latest message that you sent yourself.
  - The ID of a message in your history, or its beginning. `aws-iot history --ids` prints as much as you have to type.
    `--json` of sub and history prints whole IDs, and `pub --json` that of what it sends.
  - For a message without ID, such as those of the npm tool, the derived ID that `aws-iot history --ids` prints. It
    begins with ~. Such a message can be answered, but not edited or deleted.

The room is the message's. With -r ROOM, only messages of that room count. Nothing is sent if the message is unknown, or
if you want to edit or delete another person's. Receivers ignore that, too.

With --no-history, give the whole ID and -r ROOM. Nothing is checked then.

The npm tool shows an edit as a message with the new text, a reaction as one with the emoji, and a deletion as the
message "(message deleted)". Who has read or saved a message still has it.

\b
Examples:
  aws-iot pub --reply-to 4f9fa251 -m 'It works now.'
  aws-iot pub --react 👍 4f9fa251
  aws-iot pub --edit last -m 'at 11, not at 10'
  aws-iot pub --delete last -r lobby""",
    ),
    "select": Topic(
        "How `sub` selects messages, past and new.",
        """Without these options, `sub` prints everything in its rooms, from now on.

\b
Options:
  --since TIME     messages of the history from TIME on, then new ones
  --grep REGEX     messages whose text matches somewhere
  --from IDENTITY  messages of this identity, or of one that begins so; a name before ~ is ignored
  --not-from-me    messages of others
  -C N             N messages
  -W SECONDS       what arrives until then, after subscribing; with --wait, waiting counts, too

\b
With --since:
  - The history has what `sub` and `pub` saved on this machine, not what was sent while no `sub` was running, except
    with --durable. Between it and new messages, none is missing, and none comes twice.
  - TIME has the forms that `aws-iot history` knows.
  - Past messages are printed, handled by --exec and counted by -C as new ones are.
  - Edits, reactions and deletions have lines of their own. A message that was deleted since is left out.
  - With --no-history, `sub` reads the history, but saves nothing.

\b
A REGEX is a regular expression as in Python:
  deploy|release   one of these words
  ^build \\d+$      the whole text
  (?i)error        upper and lower case alike

If matching takes too long, as it may with (a+)+$, the message is printed, and `sub` warns once. What does not match is
saved in the history, too.

\b
Examples:
  aws-iot sub -r ops --since yesterday --grep 'deploy|release'
  aws-iot sub -r jobs --since 30m -C 1 -W 60 --grep '(?i)^done'""",
    ),
    "format": Topic(
        "The fields of `sub --format`.",
        """A template has fields, each as {field} or {field:WIDTH}, such as {who:>20}.

\b
Fields:
  time            when it arrived, local time; {time:%H:%M} as in strftime
  received, sent  when it arrived and was sent, in UTC; strftime as above
  room            the room
  sender, short   the sender's identity, and its first 8 characters
  who             the sender as without --format: the name, ~ and the start of the identity
  name            the name that the sender chose; any name, even another person's
  text, raw       the text, and the whole payload
  id              the message's ID, if the sender's program sets one
  qos, retained   how it was delivered: 0 or 1, true or false
  kind, re        what it does to another message (edit, delete or react), and that one's ID; a reply has only re

\\n, \\t and \\\\ are a line break, a tab and a backslash, {{ and }} are braces.

Control characters in messages are shown as escapes, even in pipes. --json escapes them all. --raw writes them
unchanged, except to a terminal. There, the further lines of a long message begin with "    | ".

\b
Examples:
  aws-iot sub --format '{time:%H:%M} {short} {text}'
  aws-iot sub --format '{who:>20}: {text}'""",
    ),
    "exec": Topic(
        "How `sub --exec` runs a command for each message.",
        """With --exec, a command runs for each message.

\b
  - It is split into words once. No shell runs, so a message cannot change it.
  - Its standard input is the text of the message.
  - Its environment has AWS_IOT_MESSAGE_ROOM, _SENDER, _SHORT, _NAME, _TEXT, _ID, _RECEIVED, _SENT, _QOS, _RETAINED,
    _KIND, _RE and _LINE, up to 32,000 bytes each. _LINE is what `sub` would print.
  - `sub` does not filter what it prints. The text of a message can control your terminal, so do not let the command
    print it there, as `tee` would. Print AWS_IOT_MESSAGE_LINE instead.
  - If it fails, `sub` prints a line to stderr, continues, and exits with 9 when it stops by itself (-C, -W). After
    Ctrl-C it exits with 130.

\b
If it still runs when `sub` stops:
  - It gets SIGTERM, with all processes that it started, even in the background. A second later they are killed. After
    -W, that is a failure.
  - Processes of another user cannot be ended. Nor can those that have left the command and emptied their environment
    or, on macOS and Windows, have only left it.
  - What a command has started keeps running if the command itself had ended before.

\b
Examples:
  aws-iot sub -r jobs --exec ./work.sh
  aws-iot sub -r jobs --durable worker --exec ./work.sh --exec-jobs 4
  aws-iot sub -r ops --exec 'sh -c "cat >> log; printenv AWS_IOT_MESSAGE_LINE"'""",
    ),
    "durable": Topic(
        "How `sub --durable` receives what arrives while you are offline.",
        """With --durable, the broker keeps messages while you are offline.

\b
  - A message counts as handled when its line is written or its command has ended. The broker delivers all others
    again, so a crash loses nothing. Lines may then be written twice.
  - Duplicates are dropped, except for messages without an ID, which the npm tool sends.
  - The broker keeps a session for an hour, unless your AWS account has another limit. If the broker has discarded
    it, `sub` warns you.
  - The session leaves rooms that you drop from the command. Messages that wait there still arrive.
  - Only one program can use a session. Another one takes it over and ends the first.

\b
Example:
  aws-iot sub -r jobs --durable worker""",
    ),
}
"""By name, in the order in which to list them."""
