"""Callbacks on awscrt's threads."""

import queue
import socket
import threading

from awscrt import mqtt5

from aws_iot.aws.iot import thread_state
from tests.waiting import DEADLINE_SECONDS

ATTEMPTS = 3


def test_what_python_knows_of_awscrts_thread_is_still_there_at_the_next_callback() -> None:
    known = threading.local()
    counted: queue.Queue[tuple[int, int]] = queue.Queue()

    def count(_: object) -> None:
        thread_state.keep()
        known.calls = getattr(known, "calls", 0) + 1
        counted.put((threading.get_ident(), known.calls))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client = mqtt5.Client(
        mqtt5.ClientOptions(
            host_name="127.0.0.1",
            port=port,  # where nobody listens any more
            min_reconnect_delay_ms=1,
            max_reconnect_delay_ms=10,
            on_lifecycle_event_attempting_connect_fn=count,
        )
    )
    client.start()
    calls = [counted.get(timeout=DEADLINE_SECONDS) for _ in range(ATTEMPTS)]
    client.stop()

    [thread] = {thread for thread, _ in calls}
    assert thread != threading.get_ident()
    assert [number for _, number in calls] == [*range(1, ATTEMPTS + 1)]
