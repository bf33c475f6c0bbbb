"""Why a header is not read to its end, or not in the quick way."""


class TooLarge(Exception):
    """The header holds more than we are ready to keep in memory, or to store. Its text says what, and names no patient."""


class UnusualError(Exception):
    """The file is not as ordinary files are. `cause` says where, in a word for counting."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause
