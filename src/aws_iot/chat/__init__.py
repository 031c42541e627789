"""The chat screen: `model` has its state and rules, `parts` the threads and files, `screen` the widgets.

Each change is an event. `model.reducer.update` applies it to the state, and returns effects: what is to be sent, read
or saved. `bridge.Bridge` is where threads and asyncio meet: it brings the events of the threads to the screen's loop,
and hands effects to the threads. The widgets draw the state and decide nothing.
"""
