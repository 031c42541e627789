"""Replace this process by a command that has the restrictions of a systemd unit: `python confined.py UNIT COMMAND…`.

Only two of them: the filter of system calls, and that no memory is both writable and executable. These can break a
library. They need neither systemd nor root.
"""

import ctypes
import os
import re
import struct
import subprocess
import sys
from pathlib import Path

NUMBERS = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
"""Where the C library's headers have the number of each system call."""

# linux/prctl.h, linux/seccomp.h and linux/bpf_common.h
_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _PR_SET_MDWE = 22, 38, 65
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _ERROR, _EPERM = 0x7FFF0000, 0x00050000, 1


def allowed(unit: str) -> set[str]:
    """The system calls that the unit allows."""
    found: set[str] = set()
    for line in re.findall(r"^SystemCallFilter=(.*)$", unit, re.MULTILINE):
        calls = {call for name in line.lstrip("~").split() for call in _calls(name)}
        found = found - calls if line.startswith("~") else found | calls
    return found


def _calls(name: str) -> set[str]:
    if not name.startswith("@"):
        return {name}
    done = subprocess.run(
        ["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True
    )
    names = [line.strip() for line in done.stdout.splitlines()[1:]]
    return {call for one in names if one and not one.startswith("#") for call in _calls(one)}


def confine(unit: str) -> None:
    """Restrict this process and its children until they end."""
    numbers = dict(re.findall(r"#define __NR_(\w+) (\d+)", NUMBERS.read_text(encoding="utf-8")))
    steps = [(_LOAD, 0, 0, 0)]
    for call in sorted(allowed(unit) & numbers.keys()):
        steps += [(_JUMP_IF_EQUAL, 0, 1, int(numbers[call])), (_RETURN, 0, 0, _ALLOW)]
    steps.append((_RETURN, 0, 0, _ERROR | _EPERM))
    code = b"".join(struct.pack("HBBI", *step) for step in steps)
    program = ctypes.create_string_buffer(code, len(code))
    described = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(program))
    libc = ctypes.CDLL(None, use_errno=True)
    for step in (
        (_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (_PR_SET_MDWE, 1, 0, 0, 0),
        (_PR_SET_SECCOMP, 2, ctypes.create_string_buffer(described, len(described)), 0, 0),
    ):
        if libc.prctl(*step):
            sys.exit(f"prctl {step[0]}: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    confine(Path(sys.argv[1]).read_text(encoding="utf-8"))
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 that is its purpose
