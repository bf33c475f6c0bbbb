"""Why no volume is made of images."""


class Refused(Exception):
    """No volume was made: a code, and what was found (numbers, never names or paths).

    path: of the file that it is about, for who may see paths.
    """

    def __init__(self, reason: str, detail: str, path: str | None = None) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail
        self.path = path
