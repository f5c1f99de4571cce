"""Every error that is a sentence for the user; anything else is a bug and keeps its traceback."""


class LoyaltyError(Exception):
    """Something failed that the user can do something about: what, where, and the next step."""

    exit_code = 1


class UsageError(LoyaltyError):
    """The command was called wrongly."""

    exit_code = 2


class Unavailable(LoyaltyError):
    """A server did not answer; the same call may succeed later."""


class Refused(LoyaltyError):
    """Input or state forbid what was asked for; nothing was changed."""


class Busy(Refused):
    """Another process does the same just now; later it may be done."""
