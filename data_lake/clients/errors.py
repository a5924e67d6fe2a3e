"""What can go wrong with a client, as sentences a person can act on; none holds a token."""

from __future__ import annotations

from data_lake.errors import LakeError
from data_lake.lock import LockBusy


class ClientError(LakeError):
    """Any of these."""


class NoAnswer(ClientError):
    """No attempt brought an answer; the message names the endpoint and the last reason, never a header."""


class NotConnected(ClientError):
    """There is no login that works; the message says which command makes one."""


class NoLogin(ClientError):
    """None of the logins may read this; the message says which would."""


class PullBusy(ClientError, LockBusy):
    """Another process is pulling into this lake; the message names it."""


class CallFailed(ClientError):
    """The platform refused or failed a call for good; the message says which and why."""


class UnknownTarget(CallFailed):
    """The platform knows no channel (or server) of that name."""


class Refused(CallFailed):
    """The login may not read this endpoint of this target."""


class DeadCursor(CallFailed):
    """The cursor no longer leads anywhere: the list has to be walked from its start."""
