"""What Python remembers of a thread that is awscrt's."""

import threading

_here = threading.local()


def keep() -> None:
    """Let Python keep its state of the calling thread, which else lives for one callback.

    To make and forget it takes memory from the system and gives it back, over which the other cores are
    interrupted: a third of all the time of a busy `sub`. `PyGILState_Ensure` counts; what has no `PyGILState_Release`
    stays as long as the process, as that of a daemon thread does:
    docs.python.org/3/c-api/threads.html#c.PyGILState_Ensure
    """
    if not getattr(_here, "is_kept", False):
        _here.is_kept = True
        try:
            import ctypes  # here, since who says one thing does without it
        except ImportError:  # a Python that was built without it is only slower
            return
        ctypes.pythonapi.PyGILState_Ensure()
