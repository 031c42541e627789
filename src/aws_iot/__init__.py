"""A terminal client for AWS IoT Core chat rooms.

Read the modules in the order in which data flows:

    profile → session → credentials → connection → room → message

A person picks a profile, signs in, is given AWS credentials for an hour, opens a connection with
them, enters a room, and says or hears messages. `app` puts the parts together, `aws` and `local`
are the outside world, and `cli` is what a person types.
"""

__version__ = "0.1.0"
