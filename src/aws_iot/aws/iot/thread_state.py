"""What Python stores about a thread that belongs to awscrt."""

import threading

_here = threading.local()


def keep() -> None:
    """Let Python keep its state of the calling thread, instead of making one for each callback.

    Making and freeing it takes memory from the system and gives it back, which interrupts the other cores: a third of
    all the time of a busy `sub`. `PyGILState_Ensure` counts. Without a matching `PyGILState_Release` the state stays as
    long as the process, like that of a daemon thread: docs.python.org/3/c-api/threads.html#c.PyGILState_Ensure
    """
    if not getattr(_here, "is_kept", False):
        _here.is_kept = True
        try:
            import ctypes  # here, since a program that sends one message does not need it
        except ImportError:  # a Python that was built without it is only slower
            return
        ctypes.pythonapi.PyGILState_Ensure()
