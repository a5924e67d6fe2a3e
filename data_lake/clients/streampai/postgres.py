"""Streampai's tables straight from its PostgreSQL: each pulled into a Parquet file that the `streampai` source reads.

Only named columns are selected, never tokens, addresses of donors or ids of payers, and what JSON columns hold of these
is cut out on the way. The address of the database, which may hold a password, stands in no file name, no file and no
message.
"""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from data_lake.sources.live.streampai.private import is_private

if TYPE_CHECKING:
    import psycopg

# The columns read of each table, where the database has them.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "livestreams": ("id", "user_id", "title", "description", "category", "subcategory", "language", "tags",
                    "started_at", "ended_at"),
    "livestream_metrics": ("id", "livestream_id", "created_at", "youtube_viewers", "twitch_viewers", "facebook_viewers",
                           "kick_viewers", "input_bitrate_kbps"),
    "stream_events": ("id", "type", "data", "author_id", "livestream_id", "user_id", "platform", "viewer_id",
                      "was_displayed", "inserted_at"),
    "chat_messages": ("id", "message", "sender_username", "username", "sender_channel_id", "sender_is_moderator",
                      "sender_is_patreon", "platform", "livestream_id", "user_id", "viewer_id", "inserted_at"),
    "stream_viewers": ("viewer_id", "user_id", "platform", "display_name", "first_seen_at", "last_seen_at",
                       "is_moderator", "is_patreon"),
    "banned_viewers": ("id", "user_id", "livestream_id", "platform", "viewer_id", "viewer_platform_id",
                       "viewer_username", "reason", "duration_seconds", "expires_at", "is_active", "platform_ban_id",
                       "unbanned_at", "banned_by_user_id", "inserted_at", "created_at"),
    "donations": ("id", "user_id", "livestream_id", "viewer_id", "platform", "provider", "donor_name", "message",
                  "amount", "amount_micros", "amount_cents", "currency", "status", "net_amount", "processing_fee",
                  "inserted_at", "created_at", "refunded_at"),
    "streaming_account": ("user_id", "platform", "extra_data", "follower_count", "sponsor_count", "views_last_30d",
                          "unique_viewers_last_30d", "stats_last_refreshed_at"),
}  # fmt: skip
# What `since` is compared with: a row is pulled when any of these is at or after it; a table not listed, whole.
CHANGED: Mapping[str, tuple[str, ...]] = {
    "livestreams": ("started_at", "ended_at", "updated_at"),
    "livestream_metrics": ("created_at",),
    "stream_events": ("inserted_at",),
    "chat_messages": ("inserted_at",),
    "stream_viewers": ("first_seen_at", "last_seen_at"),
    "banned_viewers": ("inserted_at", "created_at", "unbanned_at", "updated_at"),
    "donations": ("inserted_at", "created_at", "refunded_at", "updated_at"),
}
# Of what an account says about itself only this is taken: the rest may hold credentials.
ACCOUNT_MEMBERS = ("uid", "nickname", "name")

_PLATFORM_VIEWERS = re.compile(r"[a-z0-9]+_viewers")
_SUSPECT = r"(?i)token|secret|password|e_?mail|payer|api_?key"  # a cheap test that all private members pass (RE2)
_BLOCK_BYTES = 8 << 20


class PostgresError(Exception):
    """The database could not be read; the message says why and what to do, without the address."""


def pull(dsn: str, folder: Path, since: datetime | None = None) -> list[Path]:
    """Copy each Streampai table of the database into `folder`, as `streampai-<table>-<moment>.parquet`.

    All tables are read in one read-only snapshot, whose moment (the server's clock) stands in the names and, as
    `exported_at`, in a sidecar beside each file. With `since` (naive UTC) only rows that changed at or after it; an
    account is always pulled. A table without rows gives no file. Raises PostgresError.
    """
    try:
        import psycopg
    except ImportError:
        raise PostgresError("reading from PostgreSQL needs psycopg: pip install 'full-house[postgres]'") from None
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with psycopg.connect(dsn, autocommit=False, connect_timeout=15, application_name="full-house") as connection:
            connection.read_only = True
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            return _pull(connection, folder, since)
    except psycopg.Error as error:
        raise PostgresError(f"the database could not be read: {scrubbed(str(error), dsn)}") from None


def scrubbed(message: str, dsn: str) -> str:
    """A message of the database's without the address: neither whole nor its password, as written or as quoted."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        password = conninfo_to_dict(dsn).get("password")
    except ProgrammingError:
        return "its address is not one PostgreSQL understands; write postgresql://user:password@host:port/database"
    secrets = {dsn, *({str(password), quote(str(password)), quote_plus(str(password))} if password else ())}
    for secret in sorted(secrets, key=len, reverse=True):
        message = message.replace(secret, "***")
    return " ".join(message.split())


def _pull(connection: psycopg.Connection[Any], folder: Path, since: datetime | None) -> list[Path]:
    with connection.cursor() as cursor:
        cursor.execute("select now() at time zone 'UTC'")
        moment: datetime = cursor.fetchone()[0]  # type: ignore[index]
        cursor.execute(
            """select table_name, column_name, data_type from information_schema.columns
            where table_schema = any(current_schemas(false)) and table_name = any(%s) order by 1, ordinal_position""",
            [list(COLUMNS)],
        )
        kinds_of: dict[str, dict[str, str]] = {}
        for table, column, kind in cursor.fetchall():
            kinds_of.setdefault(table, {})[column] = kind
        if not kinds_of:
            raise PostgresError(
                f"the database has no Streampai table that may be read; looked for: {', '.join(COLUMNS)}"
            )
        written = []
        for table, kinds in kinds_of.items():
            path = folder / f"streampai-{table}-{moment:%Y%m%dT%H%M%S}Z.parquet"
            if _copy(cursor, table, kinds, since, path):
                _write_sidecar(path, moment, since)
                written.append(path)
    return written


def _copy(
    cursor: psycopg.Cursor[Any], table: str, kinds: Mapping[str, str], since: datetime | None, path: Path
) -> bool:
    """Write one table as it streams in; False when it has no row."""
    columns = [name for name in kinds if _is_read(table, name)]
    if not columns:
        return False
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    rows = 0
    with cursor.copy(_query(table, columns, kinds, since)) as copy:
        names = pa.schema([(name, pa.string()) for name in columns])
        with pq.ParquetWriter(partial, names, compression="zstd") as writer:
            for batch in _batches(copy, columns):
                writer.write_table(_clean(batch))
                rows += batch.num_rows
    if not rows:
        partial.unlink()
        return False
    os.replace(partial, path)
    return True


def _is_read(table: str, column: str) -> bool:
    is_sample = table == "livestream_metrics" and _PLATFORM_VIEWERS.fullmatch(column) is not None
    return (column in COLUMNS[table] or is_sample) and not is_private(column)


def _query(table: str, columns: Sequence[str], kinds: Mapping[str, str], since: datetime | None) -> Any:
    """COPY of the named columns as text: times in UTC, lists and JSON as JSON."""
    from psycopg import sql

    def text(name: str) -> Any:
        column, kind = sql.Identifier(name), kinds[name]
        if name == "extra_data":
            members = sql.SQL(", ").join(
                sql.SQL("{}, {}::jsonb ->> {}").format(sql.Literal(m), column, sql.Literal(m)) for m in ACCOUNT_MEMBERS
            )
            return sql.SQL("json_build_object({})::text").format(members)
        if kind.startswith("timestamp"):
            moment = sql.SQL("{} at time zone 'UTC'").format(column) if kind.endswith("with time zone") else column
            return sql.SQL('to_char({}, \'YYYY-MM-DD"T"HH24:MI:SS.US"Z"\')').format(moment)
        if kind == "ARRAY":
            return sql.SQL("to_json({})::text").format(column)
        return sql.SQL("{}::text").format(column)

    moments = [name for name in CHANGED.get(table, ()) if kinds.get(name, "").startswith("timestamp")]
    where: Any = sql.SQL("")
    if since is not None and moments:
        stated = sql.Literal(since.isoformat())

        def changed(name: str) -> Any:
            zone = sql.SQL(" at time zone 'UTC'") if kinds[name].endswith("with time zone") else sql.SQL("")
            return sql.SQL("{}{} >= {}::timestamp").format(sql.Identifier(name), zone, stated)

        where = sql.SQL(" where {}").format(sql.SQL(" or ").join(map(changed, moments)))
    selected = sql.SQL(", ").join(sql.SQL("{} as {}").format(text(name), sql.Identifier(name)) for name in columns)
    query = sql.SQL("select {} from {}{}").format(selected, sql.Identifier(table), where)
    return sql.SQL("copy ({}) to stdout (format csv)").format(query)


class _Stream(io.RawIOBase):
    """What COPY sends, as a file to read from."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self._held = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._held:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._held = memoryview(bytes(part))
        count = min(len(buffer), len(self._held))
        buffer[:count] = self._held[:count]
        self._held = self._held[count:]
        return count


def _batches(copy: Any, columns: Sequence[str]) -> Iterator[pa.Table]:
    parts = (part for part in copy if part)
    first = next(parts, None)
    if first is None:
        return
    stream = io.BufferedReader(_Stream(_with(first, parts)), 1 << 20)
    reader = pyarrow.csv.open_csv(
        stream,
        read_options=pyarrow.csv.ReadOptions(column_names=list(columns), use_threads=False, block_size=_BLOCK_BYTES),
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(columns, pa.string()),
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            null_values=[""],
        ),
    )
    for batch in reader:
        yield pa.Table.from_batches([batch])


def _with(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _clean(batch: pa.Table) -> pa.Table:
    """The batch without private members in its JSON (`data` of events)."""
    if "data" not in batch.column_names:
        return batch
    column = batch["data"].combine_chunks()
    places = pc.indices_nonzero(pc.fill_null(pc.match_substring_regex(column, _SUSPECT), False)).to_pylist()
    if not places:
        return batch
    values = column.to_pylist()
    for place in places:
        values[place] = json.dumps(_without_private(json.loads(values[place])), ensure_ascii=False)
    return batch.set_column(batch.schema.get_field_index("data"), "data", pa.array(values, pa.string()))


def _without_private(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_private(inner) for name, inner in value.items() if not is_private(name)}
    if isinstance(value, list):
        return [_without_private(inner) for inner in value]
    return value


def _write_sidecar(path: Path, moment: datetime, since: datetime | None) -> None:
    sidecar = f"exported_at: {moment.isoformat()}Z\n" + (f"since: {since.isoformat()}Z\n" if since else "")
    path.with_name(path.name + ".yml").write_text(sidecar, encoding="utf-8")
