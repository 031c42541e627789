#!/bin/sh
# Two people in one room, in one terminal: Alice receives, Bob sends a few messages, and Alice's are printed.
#
#   examples/two_people.sh ALICE_PROFILE BOB_PROFILE [ROOM]
#
# Each profile needs a user and a password (`aws-iot config -s aws-exports.json -k alice -u alice -p …`), and an
# admin must have accepted both people. If a command fails, the script exits with its exit code.
set -eu

if [ $# -lt 2 ] || [ $# -gt 3 ]; then
    echo "Usage: $0 ALICE_PROFILE BOB_PROFILE [ROOM]" >&2
    exit 2
fi
alice=$1 bob=$2 room=${3:-lobby}

# The profiles name the two people; these variables would override both. --quiet would hide the line to wait for.
unset AWS_IOT_USER AWS_IOT_PASSWORD AWS_IOT_PASSWORD_STDIN AWS_IOT_QUIET

receiver=
folder=$(mktemp -d)
clean_up() {
    if [ -n "$receiver" ]; then
        kill "$receiver" 2>/dev/null || true
        wait "$receiver" 2>/dev/null || true
    fi
    rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# wait_for TEXT FILE: wait until FILE contains TEXT, for at most half a minute, and while Alice's command runs.
wait_for() {
    tries=0
    until grep -qF -e "$1" "$2"; do
        if ! kill -0 "$receiver" 2>/dev/null; then
            cat "$folder/status" >&2
            code=0
            wait "$receiver" || code=$?
            echo "The command of $alice has ended." >&2
            exit "$((code ? code : 1))"
        fi
        tries=$((tries + 1))
        if [ "$tries" -gt 150 ]; then
            echo "Timed out waiting for: $1" >&2
            exit 1
        fi
        sleep 0.2
    done
}

: >"$folder/messages" >"$folder/status"
aws-iot sub -k "$alice" -r "$room" --json >"$folder/messages" 2>"$folder/status" &
receiver=$!
wait_for Receiving "$folder/status"
cat "$folder/status"

# The last message contains this script's process ID, so that other messages in the room do not match.
for line in "Hello!" "Is anyone here?" "Bye. ($$)"; do
    echo "$ aws-iot pub -k $bob -r $room -m \"$line\""
    aws-iot pub -k "$bob" -r "$room" -m "$line" -q
done

wait_for "Bye. ($$)" "$folder/messages"
echo "$alice received:"
cat "$folder/messages"
