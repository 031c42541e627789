"""The person's browser, for links."""

import threading
from collections.abc import Callable


def open_link(
    link: str, lend_terminal: Callable[[Callable[[], object]], object], tell: Callable[[str], None]
) -> None:
    """Open a link, without waiting for it, unless the browser runs in the terminal, such as lynx.

    `lend_terminal` gives the terminal to a program until it ends. `tell` tells the person something, from any thread.
    """
    import webbrowser

    def open_elsewhere() -> None:
        if not webbrowser.open(link):
            tell("No browser was found. Set BROWSER, or copy the link.")

    try:
        needs_terminal = type(browser := webbrowser.get()) is webbrowser.GenericBrowser
    except webbrowser.Error:
        needs_terminal = False
    if needs_terminal:
        if not lend_terminal(lambda: browser.open(link)):
            tell(f"{browser.name} did not open the link. Set BROWSER to another browser, or copy the link.")
    else:
        threading.Thread(target=open_elsewhere, daemon=True).start()
