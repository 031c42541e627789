"""The README's demo: runs the real commands on the local stack (`make demo`).

Prints each command and its output. Exits with 0 only if Alice receives Bob's message unchanged.
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


def heading(text: str) -> None:
    print(f"\n# {text}", flush=True)


def show_command(line: str) -> None:
    print(f"{BOLD}$ {line}{PLAIN}", flush=True)


def start(arguments: str, environment: dict[str, str]) -> "Running":
    show_command(f"aws-iot {arguments} &")
    return Running([COMMAND, *shlex.split(arguments)], environment)


def run(*lines: str, environment: dict[str, str], expected: int = 0) -> list[str]:
    """Run the commands in parallel and return their outputs. Each must exit with `expected`."""
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
        show_command(f"aws-iot {line}")
        print(output, end="", flush=True)
        if process.returncode:
            print(f"(exit code {process.returncode})", flush=True)
        if process.returncode != expected:
            sys.exit(f"The demo failed: expected exit code {expected}.")
        outputs.append(output)
    return outputs


class Running:
    """A command in the background. Its output is printed as it arrives."""

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
        """Wait for a line that matches `pattern`, and return it."""
        with self._more:
            self._more.wait_for(
                lambda: self._find(pattern) or self.process.poll() is not None, DEADLINE_SECONDS
            )
        return self._find(pattern) or sys.exit(f"The demo failed: no output matched {pattern!r}.")

    def _find(self, pattern: str) -> str | None:
        return next((line for line in self.lines if re.search(pattern, line)), None)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(DEADLINE_SECONDS)


def main() -> None:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="aws-iot-demo-") as folder:
        # A temporary folder, so that the demo neither reads nor changes your own profiles.
        people = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        people |= {"AWS_IOT_CONFIG_DIR": str(Path(folder, "config")), "PYTHONUNBUFFERED": "1"}
        people |= {"AWS_IOT_SECRETS": "file"}  # the demo's passwords do not belong in your keyring
        os.chdir(folder)

        heading("Start Cognito and AWS IoT Core on this machine.")
        stack = start("local --exports aws-exports.json", people)
        try:
            stack.wait_for("reset code for passwords")
            play(people)
        finally:
            stack.stop()
    print(f"\nThe message arrived unchanged. The demo took {time.monotonic() - began:.1f} s.")


def play(people: dict[str, str]) -> None:
    heading("Alice and Bob each create a profile from their team's exports file, and an account.")
    names = ("alice", "bob")
    run(*(f"config -s aws-exports.json -k {n} -u {n} -p Passw0rd-{n}" for n in names), environment=people)
    run(*(f"signup -k {n} -p Passw0rd-{n} -e {n}@example.com" for n in names), environment=people)
    run(*(f"confirm -k {n} -c 123456" for n in names), environment=people)

    heading("No admin has accepted them yet. The first connection fails and prints the identity to accept.")
    refused = run(*(f"sub -k {n}" for n in names), environment=people, expected=5)

    heading("An admin accepts both. The local stack has written its admin's AWS credentials to this machine.")
    identities = " ".join(found for output in refused for found in re.findall(r"identityId: '(\S+)'", output))
    run(f"admin accept {identities} -k alice", environment=people)

    heading("Alice receives; Bob sends.")
    alice = start("sub -k alice -r lobby --json", people)
    alice.wait_for("Receiving")
    run(f"pub -k bob -r lobby -m {shlex.quote(MESSAGE)}", environment=people)
    received = json.loads(alice.wait_for(r"^\{.*text"))
    alice.stop()

    sent = {"room": "lobby", "name": "bob", "text": MESSAGE}
    if any(received[key] != value for key, value in sent.items()):
        sys.exit(f"The demo failed: the message arrived changed: {received}")


if __name__ == "__main__":
    main()
