"""Streampai straight from PostgreSQL: a real server, started in a temporary folder."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from data_lake.clients.streampai.postgres import COLUMNS, PostgresError, pull, scrubbed
from data_lake.landing import add, read_sidecar
from data_lake.layout import Layout
from data_lake.sources import recognise
from data_lake.sources.base import PROBLEM, Export, Rows
from data_lake.sources.live.streampai.private import is_private

psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'full-house[postgres]'")

PASSWORD = "s3cr3t/pass word"
TABLES = r"""
create table livestreams (id uuid primary key, user_id uuid, title text, category text, language text, tags text[],
    started_at timestamp, ended_at timestamp, stream_key_token text);
create table livestream_metrics (livestream_id uuid, created_at timestamptz, youtube_viewers int, twitch_viewers int,
    facebook_viewers int, kick_viewers int, tiktok_viewers int, input_bitrate_kbps int);
create table stream_events (id uuid primary key, type text, data jsonb, author_id text, livestream_id uuid,
    user_id uuid, platform text, viewer_id text, was_displayed bool, inserted_at timestamp);
create table stream_viewers (viewer_id text, user_id uuid, platform text, display_name text, first_seen_at timestamp,
    last_seen_at timestamp, is_moderator bool, is_patreon bool, ai_summary text);
create table donations (id uuid primary key, user_id uuid, livestream_id uuid, platform text, viewer_id text,
    provider text, donor_name text, donor_email text, payer_id text, message text, amount numeric, currency text,
    status text, net_amount numeric, processing_fee numeric, inserted_at timestamp);
create table streaming_account (user_id uuid, platform text, access_token text, refresh_token text, extra_data jsonb,
    follower_count int, sponsor_count int, views_last_30d int, unique_viewers_last_30d int,
    stats_last_refreshed_at timestamp);
create table chat_messages (id uuid, message text, sender_username text, platform text, livestream_id uuid,
    inserted_at timestamp);
insert into livestreams values ('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-0000000000aa',
    'A "quoted", title', 'Chess', 'en', '{one,"two, three"}', '2026-01-31 20:00', '2026-01-31 22:00', 'sk_live');
insert into livestream_metrics values
    ('00000000-0000-0000-0000-000000000001', '2026-01-31 21:00+01', 3, 5, 0, 0, 7, 6000);
insert into stream_events values
    ('00000000-0000-0000-0000-0000000000e1', 'chat_message', '{"message": "line one\nline two", "username": "ann",
        "sender_channel_id": "77", "contact": {"email": "ann@example.org"}}', null,
        '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-0000000000aa', 'twitch', '77', true,
        '2026-01-31 20:05'),
    ('00000000-0000-0000-0000-0000000000e2', 'follow', '{"username": "bob", "display_name": "Bob"}', null,
        '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-0000000000aa', 'twitch', '78', true,
        '2026-02-02 20:05');
insert into stream_viewers values
    ('77', '00000000-0000-0000-0000-0000000000aa', 'twitch', 'Ann', '2026-01-01', '2026-01-31',
    false, null, 'likes chess');
insert into donations values ('00000000-0000-0000-0000-0000000000d1', '00000000-0000-0000-0000-0000000000aa',
    '00000000-0000-0000-0000-000000000001', 'twitch', '77', 'paypal', 'Ann', 'ann@example.org', 'PAYER1', '', 12.50,
    'EUR', 'completed', 12.00, 0.50, '2026-01-31 20:30');
insert into streaming_account values ('00000000-0000-0000-0000-0000000000aa', 'twitch', 'tok_access', 'tok_refresh',
    '{"uid": "9", "nickname": "streamer", "access_token": "tok_inner", "email": "me@example.org"}', 100, 5, 1, 1,
    '2026-01-31');
"""


def _binaries() -> Path | None:
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    return programs[-1].parent if programs else None


def _as_server_user(command: list[str], folder: Path) -> None:
    """PostgreSQL refuses to run as root: then its own account runs it."""
    if os.geteuid() == 0:
        command = ["runuser", "-u", "postgres", "--", *command]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    """The address of a server with Streampai's tables."""
    binaries = _binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL server is installed: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="fullhouse-pg-"))
    if os.geteuid() == 0:
        if not shutil.which("runuser"):
            pytest.skip("PostgreSQL cannot run as root, and runuser is not installed")
        account = pwd.getpwnam("postgres")
        os.chown(folder, account.pw_uid, account.pw_gid)
    secret = folder / "secret"
    secret.write_text(PASSWORD)
    secret.chmod(0o644)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = folder / "data"
    _as_server_user([str(binaries / "initdb"), "-D", str(data), "-U", "owner", "-A", "scram-sha-256", "--pwfile",
                     str(secret), "--no-sync", "-E", "UTF8", "--locale", "C"], folder)  # fmt: skip
    options = f"-p {port} -c listen_addresses=127.0.0.1 -k {folder} -c fsync=off"
    server = str(binaries / "pg_ctl")
    _as_server_user([server, "-D", str(data), "-o", options, "-l", str(folder / "log"), "-w", "start"], folder)
    try:
        address = psycopg.conninfo.make_conninfo(
            host="127.0.0.1", port=port, user="owner", password=PASSWORD, dbname="postgres"
        )
        with psycopg.connect(address) as connection:
            connection.execute(TABLES)
        yield address
    finally:
        _as_server_user([server, "-D", str(data), "-m", "immediate", "-w", "stop"], folder)
        shutil.rmtree(folder, ignore_errors=True)


def rows_of(paths: list[Path], entity: str) -> list[dict[str, object]]:
    rows = []
    for path in paths:
        source, _ = recognise(path)
        for part in source.parse(
            Export(path, source.name, path.name, read_sidecar(path.with_name(path.name + ".yml")))
        ):
            assert isinstance(part, Rows), part
            if part.entity == entity:
                rows += part.table.to_pylist()
    assert not [row for row in rows if row[PROBLEM]]
    return rows


def test_each_table_becomes_a_file_that_the_streampai_source_reads(dsn: str, tmp_path: Path) -> None:
    paths = pull(dsn, tmp_path)
    assert {p.name.split("-")[1] for p in paths} == set(COLUMNS) - {"banned_viewers", "chat_messages"}
    assert all(recognise(p)[0].name == "streampai" for p in paths)
    (stream,) = rows_of(paths, "streams")
    assert stream["title"] == 'A "quoted", title'
    assert stream["tags"] == ["one", "two, three"]
    assert stream["started_at"] == datetime(2026, 1, 31, 20)
    (message,) = rows_of(paths, "chat_messages")
    assert (message["text"], message["viewer_id"]) == ("line one\nline two", "77")
    assert {e["event_type"] for e in rows_of(paths, "stream_events")} == {"follow", "donation"}


def test_a_time_with_a_zone_is_pulled_as_utc_and_every_platforms_viewers_come_along(dsn: str, tmp_path: Path) -> None:
    samples = {row["platform"]: row for row in rows_of(pull(dsn, tmp_path), "viewer_counts")}
    assert samples["twitch"]["observed_at"] == datetime(2026, 1, 31, 20)
    assert {p: s["viewer_count"] for p, s in samples.items()} == {
        "youtube": 3, "twitch": 5, "facebook": 0, "kick": 0, "tiktok": 7}  # fmt: skip


def test_since_pulls_only_what_changed(dsn: str, tmp_path: Path) -> None:
    paths = pull(dsn, tmp_path, since=datetime(2026, 2, 1))
    assert {p.name.split("-")[1] for p in paths} == {"stream_events", "streaming_account"}
    assert [e["event_type"] for e in rows_of(paths, "stream_events")] == ["follow"]


def test_no_token_address_or_payer_leaves_the_database(dsn: str, tmp_path: Path) -> None:
    pulled = "".join(str(pq.read_table(path).to_pydict()) for path in pull(dsn, tmp_path))
    for secret in (
        "tok_access",
        "tok_refresh",
        "tok_inner",
        "sk_live",
        "ann@example.org",
        "me@example.org",
        "PAYER1",
        "likes chess",
        PASSWORD,
    ):
        assert secret not in pulled
    assert "uid" in pulled
    assert "streamer" in pulled


def test_no_column_that_is_pulled_is_private() -> None:
    assert not [name for columns in COLUMNS.values() for name in columns if is_private(name)]


def test_a_filed_table_is_as_old_as_the_snapshot_it_was_read_in(dsn: str, tmp_path: Path) -> None:
    path = pull(dsn, tmp_path / "pulled")[0]
    layout = Layout(tmp_path / "lake")
    filed = add(layout, path)
    sidecar = read_sidecar(filed.path.with_name(filed.path.name + ".yml"))
    moment = datetime.strptime(path.stem.split("-")[-1], "%Y%m%dT%H%M%SZ")
    assert sidecar["exported_at"].replace(tzinfo=None, microsecond=0) == moment


def test_a_refused_password_is_said_without_the_password(dsn: str, tmp_path: Path) -> None:
    wrong = psycopg.conninfo.make_conninfo(dsn, password="other-secret")
    with pytest.raises(PostgresError, match="password authentication failed") as failure:
        pull(wrong, tmp_path)
    assert "other-secret" not in str(failure.value)
    assert failure.value.__cause__ is None
    assert list(tmp_path.iterdir()) == []


def test_an_address_that_is_none_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(PostgresError, match="postgresql://user:password@host") as failure:
        pull("postgres:/hunter2@nowhere", tmp_path)
    assert "hunter2" not in str(failure.value)


def test_a_message_that_quotes_the_address_is_scrubbed() -> None:
    dsn = "postgresql://me:hunt%20er2@nowhere.invalid/db"
    message = scrubbed(f"could not use {dsn} nor hunt er2 nor hunt%20er2 nor hunt+er2", dsn)
    assert "hunt" not in message


def test_a_database_of_something_else_names_what_was_looked_for(dsn: str, tmp_path: Path) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute("create schema if not exists empty_one")
    elsewhere = psycopg.conninfo.make_conninfo(dsn, options="-c search_path=empty_one")
    with pytest.raises(PostgresError, match=r"no Streampai table .* livestreams"):
        pull(elsewhere, tmp_path)
