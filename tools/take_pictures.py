"""Two people chat on the local stack, and the screen of one becomes docs/pictures/: `make docs-picture`.

    python tools/take_pictures.py [FOLDER]

The screens are real. Only identities and times are replaced, so that pictures of the same screens are the same files.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
sys.path.insert(0, str(REPOSITORY))  # because this is run as a script

from tests.processes import Running, environment  # noqa: E402
from tests.screens import TerminalScreen, on_a_screen  # noqa: E402
from tests.waiting import wait_until  # noqa: E402
from tools.screen_pictures import Person, Shot, animation, picture, recording, rows_of  # noqa: E402

PEOPLE = {"alice": Person("4f9fa251", "magenta"), "bob": Person("b541bc26", "green")}
CLOCK = "12:34"
COLUMNS, ROWS = 80, 18
TITLE = "aws-iot chat -k alice"
STEADY_SECONDS = 0.3
"""How long a screen must stay the same to be finished."""

LETTERS_A_SHOT, LETTER_SECONDS = 3, 0.07
READING_SECONDS, LAST_SECONDS = 1.8, 4.0
END, CTRL_N, ALT_R, ALT_E = "\r", "\x0e", "\x1br", "\x1be"


class Camera:
    """Takes shots of Alice's screen."""

    def __init__(self, screen: TerminalScreen) -> None:
        self._screen = screen
        self.shots: list[Shot] = []

    def take(self, *texts: str, seconds: float = READING_SECONDS) -> None:
        """Wait until all of these are on the screen and nothing moves any more, and take a shot."""
        for text in texts:
            self._screen.wait_for(text)
        before, since = self._screen.text, time.monotonic()

        def is_steady() -> bool:
            nonlocal before, since
            if self._screen.text != before:
                before, since = self._screen.text, time.monotonic()
            return time.monotonic() - since > STEADY_SECONDS

        wait_until(is_steady)
        self.shots.append(Shot(rows_of(self._screen.cells, PEOPLE, CLOCK), seconds))

    def type(self, text: str) -> None:
        """Alice types a text, and shots show her doing so."""
        for end in range(LETTERS_A_SHOT, len(text) + LETTERS_A_SHOT, LETTERS_A_SHOT):
            part = text[end - LETTERS_A_SHOT : end]
            self._screen.type(part)
            self.take(text[:end].rstrip(), seconds=LETTER_SECONDS * len(part))


def play(camera: Camera, alice: TerminalScreen, bob: TerminalScreen) -> None:
    """A short conversation."""
    camera.take("● online", "● bob~", seconds=1)
    bob.type(f"Is staging down for anybody else?{END}")
    camera.take("  Is staging down")
    alice.type(ALT_R)
    camera.take("Reply to bob", seconds=0.6)
    camera.type("It is restarting. Two minutes.")
    alice.type(END)
    camera.take("┃ bob~", "  It is restarting")
    bob.wait_for_message("It is restarting")
    bob.type(f"/react 👍{END}")
    camera.take("· 👍 1")
    bob.type(CTRL_N)
    bob.wait_for("  ops ")
    bob.type(f"The backup is done.{END}")
    camera.take(" ops           1 ")
    alice.type(ALT_E)
    camera.take("Edit: ", seconds=0.6)
    alice.type("\x7f" * len("Two minutes."))
    camera.type("Three minutes.")
    alice.type(END)
    camera.take("· edited  👍 1", "Three minutes.")
    bob.type("\x10")
    bob.wait_for_message("Is staging down")
    bob.type(f"alice, it is up again 🎉 https://status.example.com{END}")
    camera.take("up again")
    camera.type("Thanks! I will tell the others")
    camera.take(seconds=LAST_SECONDS)


def files() -> Iterator[tuple[str, str]]:
    """The names and contents of the pictures."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as closing:
        env = environment(Path(folder))
        local = Running("local --member alice --member bob", env)
        closing.callback(local.kill)
        local.wait_for("reset code for passwords")
        alice, bob = (
            closing.enter_context(on_a_screen(f"chat lobby ops -k {name}", env, COLUMNS, ROWS))
            for name in PEOPLE
        )
        alice.wait_for("● online")
        bob.wait_for("● online")
        camera = Camera(alice)
        play(camera, alice, bob)
    shots = camera.shots
    yield "chat.svg", picture(shots[-1].rows, TITLE)
    yield "chat-recording.svg", animation(shots, TITLE)
    yield "chat.cast", recording(shots, TITLE)


def main(folder: Path) -> None:
    """Write the pictures to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else REPOSITORY / "docs" / "pictures")
