"""How work ends when it does not end well; the class decides the fate of the message.

    GyrusError
    ├ Away      a source is not there, or storage is full: say so on the document, again after a while, count nothing
    ├ Later     the documents are not ready for this work: again after a growing delay; for a quarter of an hour, then it counts
    └ Misuse    a person asked for something that cannot be: say what, where and what to do

Any other exception is a fault of the work itself: it is tried again and counted, and the fifth time it becomes a failure.
"""


class GyrusError(Exception):
    """Base of everything that gyrus raises on purpose."""


class Away(GyrusError):
    """A source, or room in storage, that is needed is not there now. The words are shown to people: no paths in them."""


class Later(GyrusError):
    """The work cannot be done yet; whoever owes the missing part has been told."""


class Misuse(GyrusError):
    """A request that cannot be fulfilled; the message names what was asked and what is possible."""
