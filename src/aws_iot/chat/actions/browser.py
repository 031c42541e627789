"""The person's browser, for links."""

import os
import subprocess
import sys
import threading
import webbrowser
from collections.abc import Callable, Mapping
from pathlib import Path

_IN_TERMINAL = frozenset(
    (
        "www-browser",
        "browsh",
        "carbonyl",
        "cha",
        "edbrowse",
        "elinks",
        "links",
        "links2",
        "lynx",
        "netrik",
        "w3m",
    )
)
"""Browsers that need the terminal."""


def open_link(
    link: str, lend_terminal: Callable[[Callable[[], object]], object], tell: Callable[[str], None]
) -> None:
    """Open a link, without waiting for it, unless the browser runs in the terminal, such as lynx.

    `lend_terminal` gives the terminal to a program until it ends. `tell` tells the person something, from any thread.
    """
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        tell("No browser was found. Set BROWSER, or copy the link.")
        return

    def report(is_open: bool) -> None:
        if not is_open:
            tell(f"{browser.name} did not open the link. Set BROWSER to another browser, or copy the link.")

    def open_elsewhere() -> None:
        if type(browser) is webbrowser.GenericBrowser:
            report(_runs([browser.name, *(argument.replace("%s", link) for argument in browser.args)]))
        else:  # Python knows how to start it
            report(webbrowser.open(link))

    if type(browser) is webbrowser.GenericBrowser and needs_terminal(browser.name, os.environ, sys.platform):
        report(bool(lend_terminal(lambda: browser.open(link))))
    else:
        threading.Thread(target=open_elsewhere, daemon=True).start()


def needs_terminal(program: str, environment: Mapping[str, str], platform: str) -> bool:
    """Whether a browser runs in the terminal. One that nobody knows does if there is no desktop for its window."""
    has_desktop = platform in ("darwin", "win32") or any(map(environment.get, ("DISPLAY", "WAYLAND_DISPLAY")))
    return Path(program).stem.lower() in _IN_TERMINAL or not has_desktop


def _runs(command: list[str]) -> bool:
    """Run a program of the desktop, which must not write on the screen, nor end with the chat."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            check=False,
        )
    except OSError:
        return False
    return not done.returncode
