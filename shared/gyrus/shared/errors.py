"""How work ends when it does not end well; the class decides the fate of the message.

    GyrusError
    ├ Away      a server or a source is not there: wait, keep the message, count nothing
    ├ Later     the documents are not ready for this work: again after a growing delay; for a quarter of an hour, then it counts
    └ Misuse    a person asked for something that cannot be: say what, where and what to do

Any other exception is a fault of the work itself: it is tried again and counted, and the fifth time it becomes a failure.
"""


class GyrusError(Exception):
    """Base of everything that gyrus raises on purpose."""


class Away(GyrusError):
    """A server or a source that is needed is not reachable now."""


class Later(GyrusError):
    """The work cannot be done yet; whoever owes the missing part has been told."""


class Misuse(GyrusError):
    """A request that cannot be fulfilled; the message names what was asked and what is possible."""
