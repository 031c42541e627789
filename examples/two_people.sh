#!/bin/sh
# Two people in one room, in one terminal: Alice listens, Bob says a few lines, and what Alice heard is shown.
#
#   examples/two_people.sh ALICE_PROFILE BOB_PROFILE [ROOM]
#
# Each profile holds a user and a password (`aws-iot config -s aws-exports.json -k alice -u alice -p …`), and
# an admin has accepted both people. Ends with the exit code of whichever command fails.
set -eu

if [ $# -lt 2 ] || [ $# -gt 3 ]; then
    echo "Usage: $0 ALICE_PROFILE BOB_PROFILE [ROOM]" >&2
    exit 2
fi
alice=$1 bob=$2 room=${3:-lobby}

# Each profile says who it is: these would make one person of the two. And --quiet would hide "Listening".
unset AWS_IOT_USER AWS_IOT_PASSWORD AWS_IOT_PASSWORD_STDIN AWS_IOT_QUIET

listener=
folder=$(mktemp -d)
clean_up() {
    if [ -n "$listener" ]; then
        kill "$listener" 2>/dev/null || true
        wait "$listener" 2>/dev/null || true
    fi
    rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# wait_for TEXT FILE: until TEXT is in FILE, for half a minute at most, and only while Alice listens.
wait_for() {
    tries=0
    until grep -qF -e "$1" "$2"; do
        if ! kill -0 "$listener" 2>/dev/null; then
            cat "$folder/notices" >&2
            code=0
            wait "$listener" || code=$?
            echo "$alice stopped listening." >&2
            exit "$((code ? code : 1))"
        fi
        tries=$((tries + 1))
        if [ "$tries" -gt 150 ]; then
            echo "Waited in vain for: $1" >&2
            exit 1
        fi
        sleep 0.2
    done
}

: >"$folder/heard" >"$folder/notices"
aws-iot sub -k "$alice" -r "$room" --json >"$folder/heard" 2>"$folder/notices" &
listener=$!
wait_for Listening "$folder/notices"
cat "$folder/notices"

# The number of this run in the last line tells it from what others, and other runs, say in the room.
for line in "Hello!" "Is anybody here?" "Bye. ($$)"; do
    echo "$ aws-iot pub -k $bob -r $room -m \"$line\""
    aws-iot pub -k "$bob" -r "$room" -m "$line" -q
done

wait_for "Bye. ($$)" "$folder/heard"
echo "$alice heard:"
cat "$folder/heard"
