"""Acts that cannot be done, each with a sentence that says why and what to do."""


class NotFound(Exception):
    """There is no such alarm or incident, or it is past."""


class Conflict(Exception):
    """Its state does not allow the act."""
