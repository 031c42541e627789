"""The rules of a connection to AWS IoT Core, as a state machine: `step(state, event, now)` returns the effects.

                      accepted                         lost
        Opening ───────────────────▶ Online ──────────────────────┐
           │                          ▲ ▲  ▲                       ▼
           │                  granted │ │  └─ session kept ───── Offline ◀───────────────┐
           │                          │ │                        │ │                     │
           │               Resubscribing│◀───── accepted ────────┘ │ two cuts after      │ cut as well:
           │                            │                          │ a request           │ the request was
           │                   answered │                          ▼                     │ not the reason
           │                            └──── Isolating ◀──────  Probing ────────────────┘
           │                                      │     stays up
           ▼                                      ▼
         Failed ◀────────────────────── third cut, after the single request

    Resubscribing and Isolating lead to Offline if the connection is lost, as Online does. Each state leads to Failed if
    the broker rejects the connection for good, and to Closing if the owner leaves.

- Opening: no connection was accepted yet.
- Online: connected, and all filters are granted. Messages are sent at once.
- Resubscribing: connected, but some filters are not granted again yet. Messages are sent at once.
- Offline: the connection is lost. An attempt is planned or under way. Messages wait.
- Probing, Isolating: find out whether the broker refuses a request by cutting (`refusal_detector`). Messages wait.
- Closing: the owner has left. DISCONNECT is sent, after the acknowledgements that have to leave first.
- Failed: over for good.

**Pure.** Nothing here knows awscrt, threads, a clock or chance. Time comes with each event. `ScheduleAttempt` names a
window of time, and the adapter picks a moment in it.

**One client for each attempt.** MQTT forbids retransmitting on the same connection (5.0, section 4.4). On the next one
awscrt would retransmit by rules of its own, so no client of awscrt connects twice. This package alone decides what is
sent again, and when.

**The state is changed in place.** `step` owns the state that it gets and returns it, so a caller must not keep the old
one. Copying a queue for each of 20,000 messages a second would be too slow. Received messages do not pass through here:
no rule depends on them, and there may be 70,000 a second.
"""

from aws_iot.aws.iot.link.machine import step
from aws_iot.aws.iot.link.state import Settings, State

__all__ = ["Settings", "State", "step"]
