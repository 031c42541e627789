"""The man pages: one for each command, and valid roff in which nothing of the help is lost or interpreted."""

import re
import shutil
import subprocess

import pytest

from tests.project.commands import COMMANDS
from tests.waiting import DEADLINE_SECONDS
from tools.man_pages import command_page, definitions, escaped, pages, paragraphs, topic_page

PAGES = pages()
REQUESTS = re.compile(r"\.(TH|SH|B|BR|PP|TP|RS 4|RE|nf|fi|IP \\\(bu 2)( |$)")


def test_there_is_a_page_for_each_command_and_for_two_topics() -> None:
    commands = {f"man1/{'-'.join(['aws-iot', *path.split()])}.1" for path in COMMANDS}
    assert PAGES.keys() == commands | {"man7/aws-iot-environment.7", "man7/aws-iot-exit-codes.7"}


@pytest.mark.parametrize("name", PAGES)
def test_no_line_of_the_help_is_taken_for_a_request(name: str) -> None:
    lines = PAGES[name].splitlines()
    assert [line for line in lines if line.startswith((".", "'")) and not REQUESTS.match(line)] == []
    assert "" not in lines  # roff would print it as it is
    assert lines[0].startswith(".TH ")


def test_groff_has_no_complaint() -> None:
    if not (groff := shutil.which("groff")):
        pytest.skip("groff is not installed")
    command = [groff, "-ww", "-man", "-Tutf8"]
    text = "".join(PAGES.values())
    done = subprocess.run(
        command, input=text, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=True
    )
    assert done.stderr == ""


def test_what_roff_would_interpret_is_escaped() -> None:
    assert escaped(r"a\nb 'c' -d ~ ^") == r"a\enb \(aqc\(aq \-d \(ti \(ha"
    assert escaped("é 👍") == r"\[u00E9] \[u1F44D]"
    assert escaped(".hidden") == r"\&.hidden"
    assert escaped("use `pub -r`, or") == r"use \fBpub \-r\fR, or"


def test_the_structure_of_help_is_kept() -> None:
    text = "One\ntwo.\n\n\b\nExamples:\n  aws-iot a\n  aws-iot b\n\n\b\n  - An item\n    of two lines.\n  term  meaning"
    assert list(paragraphs(text)) == [
        "One two.",
        *(".PP", ".PP", "Examples:", ".PP", ".nf", ".RS 4", r"aws\-iot a", r"aws\-iot b", ".RE", ".fi"),
        *(".PP", r".IP \(bu 2", "An item of two lines.", ".TP", r"\fBterm\fR", "meaning"),
    ]


def test_a_page_has_all_options_and_their_variables() -> None:
    page = command_page("pub", COMMANDS["pub"], ["aws-iot", "aws-iot-pub"])
    assert ".TP\n\\fB\\-r, \\-\\-room ROOM\\fR\nRoom to send to." in page
    assert ".TP\n\\fBAWS_IOT_ROOM\\fR\n\\-r, \\-\\-room" in page
    assert page.index(".SH SIGN\\-IN OPTIONS") > page.index(".SH OPTIONS")
    assert ".BR aws\\-iot (1)," in page


@pytest.mark.parametrize("name", PAGES)
def test_no_paragraph_is_empty(name: str) -> None:
    assert not re.search(r"^\.PP\n\.(PP|TP|IP|SH)|^\.SH.*\n\.PP", PAGES[name], re.MULTILINE)


def test_a_topic_has_its_list() -> None:
    page = topic_page("exit-codes", [("4", "Not signed in.")])
    assert page.endswith(
        "\n".join([*definitions([("4", "Not signed in.")]), ".SH SEE ALSO", ".BR aws-iot (1)", ""])
    )
