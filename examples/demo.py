"""The README's story, played on the local stack by the real commands as real processes: `make demo`.

Prints each command and what it truly printed. Exits 0 only if Bob's message reached Alice as he sent it.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

DEADLINE_SECONDS = 20
MESSAGE = "hello from Bob 👋"
COMMAND = shutil.which("aws-iot", path=str(Path(sys.executable).parent)) or "aws-iot"
BOLD, PLAIN = ("\033[1m", "\033[0m") if sys.stdout.isatty() else ("", "")


def tell(text: str) -> None:
    print(f"\n# {text}", flush=True)


def show(line: str) -> None:
    print(f"{BOLD}$ {line}{PLAIN}", flush=True)


def start(arguments: str, environment: dict[str, str]) -> "Running":
    show(f"aws-iot {arguments} &")
    return Running([COMMAND, *shlex.split(arguments)], environment)


def run(*lines: str, environment: dict[str, str], expected: int = 0, shown_before: str = "") -> list[str]:
    """What each of the commands printed; they run side by side, and must all end with `expected`."""
    running = [
        subprocess.Popen(
            [COMMAND, *shlex.split(line)],
            env=environment,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for line in lines
    ]
    outputs = []
    for line, process in zip(lines, running, strict=True):
        output, _ = process.communicate(timeout=DEADLINE_SECONDS)
        show(f"{shown_before}aws-iot {line}")
        print(output, end="", flush=True)
        if process.returncode:
            print(f"(exit code {process.returncode})", flush=True)
        if process.returncode != expected:
            sys.exit(f"The story broke off: expected exit code {expected}.")
        outputs.append(output)
    return outputs


class Running:
    """A command in the background; its output is shown as it comes."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self.lines: list[str] = []
        self._more = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            print(line, end="", flush=True)
            with self._more:
                self.lines.append(line)
                self._more.notify()

    def wait_for(self, pattern: str) -> str:
        """The first line in which `pattern` is found."""
        with self._more:
            self._more.wait_for(
                lambda: self._find(pattern) or self.process.poll() is not None, DEADLINE_SECONDS
            )
        return self._find(pattern) or sys.exit(f"The story broke off: nothing like {pattern!r} came.")

    def _find(self, pattern: str) -> str | None:
        return next((line for line in self.lines if re.search(pattern, line)), None)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(DEADLINE_SECONDS)


def main() -> None:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="aws-iot-demo-") as folder:
        # A folder of its own: the demo neither sees nor touches the profiles of whoever runs it.
        people = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        people |= {"AWS_IOT_CONFIG_DIR": str(Path(folder, "config")), "PYTHONUNBUFFERED": "1"}
        people |= {
            "AWS_IOT_SECRETS": "file"
        }  # what is played here is nothing for the keyring of whoever looks on
        os.chdir(folder)

        tell("Cognito and AWS IoT Core, on this machine.")
        stack = start("local --exports aws-exports.json", people)
        try:
            stack.wait_for("pub -r lobby")
            play(people)
        finally:
            stack.stop()
    print(f"\nThe message arrived as it was sent. The story took {time.monotonic() - began:.1f} s.")


def play(people: dict[str, str]) -> None:
    tell("Alice and Bob each make a profile from what their team gave them, and an account.")
    names = ("alice", "bob")
    run(*(f"config -s aws-exports.json -k {n} -u {n} -p Passw0rd-{n}" for n in names), environment=people)
    run(*(f"signup -k {n} -p Passw0rd-{n} -e {n}@example.com" for n in names), environment=people)
    run(*(f"confirm -k {n} -c 123456" for n in names), environment=people)

    tell("Nobody has accepted them yet. The first connection tells which identity an admin has to accept.")
    refused = run(*(f"sub -k {n}" for n in names), environment=people, expected=5)

    tell("An admin accepts both, with AWS credentials of the account.")
    identities = " ".join(found for output in refused for found in re.findall(r"identityId: '(\S+)'", output))
    keys = str(Path(people["AWS_IOT_CONFIG_DIR"], "local", "local", "admin-credentials"))
    admin = people | {"AWS_SHARED_CREDENTIALS_FILE": keys}
    before = f"AWS_SHARED_CREDENTIALS_FILE={keys} "
    run(f"admin accept {identities} -k alice", environment=admin, shown_before=before)

    tell("Alice listens; Bob speaks.")
    alice = start("sub -k alice -r lobby --json", people)
    alice.wait_for("Listening")
    run(f"pub -k bob -r lobby -m {shlex.quote(MESSAGE)}", environment=people)
    heard = json.loads(alice.wait_for(r"^\{.*text"))
    alice.stop()

    said = {"room": "lobby", "name": "bob", "text": MESSAGE}
    if any(heard[key] != value for key, value in said.items()):
        sys.exit(f"What arrived is not what was sent: {heard}")


if __name__ == "__main__":
    main()
