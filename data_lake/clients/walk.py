"""Walking a list page by page into a pull file: cursors, dead cursors, rows that shift between pages, capped queries.

A list is walked again from its start when its cursor dies or when it held fewer rows than the platform counts; all
pages of all passes are kept, and equal rows of one snapshot become one row when the file is read. Pages a killed pull
left are taken from the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from data_lake.clients.base import Endpoint, Params, TimeRange
from data_lake.clients.errors import ClientError, DeadCursor
from data_lake.clients.http import Attempts
from data_lake.clients.pull_file import PullFile, RecordedPage, page_key, row_ids
from data_lake.clients.session import Session
from data_lake.clients.tokens import Account

PASSES = 3
# A platform's count and its list differ by accounts that are suspended but counted: up to here a snapshot is complete.
TOTAL_TOLERANCE = 0.005
# The same when a second walk brought exactly the rows of the first.
SETTLED_TOLERANCE = 0.1
SHORTEST_SLICE_SECONDS = 60


@dataclass
class Walk:
    """What walking a list brought: different rows, the platform's count, whether all are there."""

    row_ids: set[str] = field(default_factory=set)
    total: int | None = None
    is_complete: bool = True
    pages: int = 0
    calls: int = 0
    retries: int = 0

    @property
    def is_total_only(self) -> bool:
        """How a platform answers a login that may not read the list: with a count and no rows."""
        return not self.row_ids and bool(self.total)

    def missing(self) -> int:
        return max(0, (self.total or 0) - len(self.row_ids))


@dataclass
class Walker:
    """Walks lists of one endpoint with one login into one file."""

    session: Session
    file: PullFile
    endpoint: Endpoint
    account: Account
    walk: Walk = field(default_factory=Walk)

    def list(self, query: Params) -> set[str]:
        """Walk one query to its end, over as many passes as it takes; returns the ids of its rows.

        Raises what `Session.page` raises, except DeadCursor.
        """
        seen: set[str] = set()
        for number in range(1, PASSES + 1):
            before = len(seen)
            try:
                self._pass(number, query, seen)
                reason = self._why_again(number, seen, before)
            except DeadCursor as error:
                reason = str(error)
            if not reason:
                break
            if number == PASSES:
                self.walk.is_complete = False
                break
            self.file.restart(number + 1, query, reason)
        self.walk.row_ids |= seen
        return seen

    def _pass(self, number: int, query: Params, seen: set[str]) -> None:
        after: str | None = None
        followed: set[str] = set()
        paging, page_size = self.endpoint.paging, self.endpoint.page_size
        size = {} if page_size is None else {paging.size_param: str(page_size)}
        while True:
            params: dict[str, str | tuple[str, ...]] = {**query, **size}
            if after:
                params[paging.cursor_param] = after
            page = self._fetch(number, params, query)
            seen.update(page.row_ids)
            if page.total is not None:
                self.walk.total = page.total
            self.walk.pages += 1
            if not page.cursor or len(followed) + 1 == self.endpoint.max_pages:
                return
            if page.cursor in followed:
                raise DeadCursor(f"{self.endpoint.path}: the cursor leads back to an earlier page")
            followed.add(page.cursor)
            after = page.cursor

    def _fetch(self, number: int, params: Params, query: Params) -> RecordedPage:
        key = page_key(number, params)
        if key in self.file.recorded:
            return self.file.recorded[key]
        if number < self.file.passes.get(page_key(0, query), 1):
            raise DeadCursor(f"{self.endpoint.path}: an earlier pull found the cursor dead here")
        attempts = Attempts()
        try:
            page = self.session.page(self.endpoint, params, self.account, attempts)
        except ClientError as error:
            self.file.failed(str(error), attempts)
            raise
        finally:
            self.walk.calls += len(attempts.calls)
            self.walk.retries += attempts.retries
        self.file.page(number, params, page.received_at, page.status, page.body, attempts)
        return RecordedPage(row_ids(page.rows, self.endpoint.row_id), page.cursor, page.total)

    def _why_again(self, number: int, seen: set[str], before: int) -> str | None:
        """Why a list that ended has to be walked again; None when it has all it can have."""
        total = self.walk.total
        if not total or len(seen) >= total or not seen:
            return None
        # Twice the same rows: what is missing is not in the list, the count holds accounts the list leaves out.
        is_settled = number > 1 and len(seen) == before
        tolerated = SETTLED_TOLERANCE if is_settled else TOTAL_TOLERANCE if number == PASSES else 0.0
        if total - len(seen) <= total * tolerated:
            return None
        return f"{total - len(seen)} of {total} rows were missing"

    def slices(self, query: Params, span: TimeRange, start: datetime, end: datetime) -> None:
        """Walk a query between two moments, halving the time wherever the platform's cap may have cut it off."""
        for first, last in self._halved(query, span, start, end):
            if (last - first).total_seconds() <= SHORTEST_SLICE_SECONDS:
                self.walk.is_complete = False

    def _halved(
        self, query: Params, span: TimeRange, start: datetime, end: datetime
    ) -> Iterator[tuple[datetime, datetime]]:
        """Yield the slices that may be cut off and cannot be halved."""
        stamps = {span.start_param: start.strftime(span.form), span.end_param: end.strftime(span.form)}
        if len(self.list({**query, **stamps})) < span.capped_rows:
            return
        if (end - start).total_seconds() <= SHORTEST_SLICE_SECONDS:
            yield start, end
            return
        middle = (start + (end - start) / 2).replace(microsecond=0)
        yield from self._halved(query, span, start, middle)
        yield from self._halved(query, span, middle, end)
