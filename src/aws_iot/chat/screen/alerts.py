"""Alerts: the bell and the notifications of the desktop."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from html import escape

from aws_iot.chat.model.effects import Notify
from aws_iot.chat.settings import ChatSettings
from aws_iot.chat.text.steady import steady

QUIET_SECONDS = 2.0
"""The shortest time between two alerts, however much arrives."""


class Alerts:
    """Shows notifications as the settings tell, but not all of a flood."""

    def __init__(
        self,
        settings: ChatSettings,
        bell: Callable[[], None],
        write: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`write` writes to the terminal."""
        self._settings = settings
        self._bell = bell
        self._write = write
        self._clock = clock
        self._last = -QUIET_SECONDS

    def show(self, alert: Notify) -> str:
        """Show a notification, unless there was one just before. Returns why the desktop cannot show it, if so."""
        now = self._clock()
        if now - self._last < QUIET_SECONDS:
            return ""
        self._last = now
        if self._settings.bell:
            self._bell()
        title, text = steady(alert.title), steady(alert.text)
        if self._settings.desktop == "system":
            return _show_by_system(title, text)
        if sequence := desktop_sequence(self._settings.desktop, title, text):
            self._write(_through_tmux(sequence))
        return ""


def desktop_sequence(kind: str, title: str, text: str) -> str:
    """What makes a terminal show a notification; empty if it is not to. The texts must be harmless."""
    title, text = title.replace(";", ","), text.replace(";", ",")
    return {
        "osc9": f"\x1b]9;{title}: {text}\x1b\\",
        "osc777": f"\x1b]777;notify;{title};{text}\x1b\\",
        "osc99": f"\x1b]99;i=aws-iot:d=0;{title}\x1b\\\x1b]99;i=aws-iot:p=body;{text}\x1b\\",
    }.get(kind, "")


def _through_tmux(sequence: str) -> str:
    if not os.environ.get("TMUX"):
        return sequence
    doubled = sequence.replace("\x1b", "\x1b\x1b")
    return f"\x1bPtmux;{doubled}\x1b\\"


def _show_by_system(title: str, text: str) -> str:
    if sys.platform == "darwin":
        script = "on run argv\ndisplay notification (item 2 of argv) with title (item 1 of argv)\nend run"
        command = ["osascript", "-e", script, title, text]
    else:
        command = ["notify-send", "--", title, escape(text, quote=False)]  # the desktop takes it for markup
    try:
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    except OSError:
        return f"The desktop shows no notifications: there is no {command[0]}. See 'desktop' in chat.json."
    return ""
