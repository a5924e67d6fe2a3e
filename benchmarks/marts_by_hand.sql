-- The facts kept by day as one would write them by hand, once, for this lake: the baseline that `dbt run` is held against.
-- {raw} is the lake's raw folder. Same raw files in, the same rows of messages, viewer days and viewer minutes out.

create table streams as
with snapshots as (
    select * from read_parquet('{raw}/streams/*/*/*.parquet', hive_partitioning = true)
    where event_date is not null
    qualify row_number() over (partition by platform, stream_id order by observed_at desc) = 1
),
owners as (
    select platform, creator_id, any_value(channel_id) as channel_id
    from read_parquet('{raw}/channel_owners/*/*/*.parquet', hive_partitioning = true)
    where event_date is not null
    group by all
)
select snapshots.platform, snapshots.stream_id, snapshots.channel_id, snapshots.started_at,
    coalesce(snapshots.ended_at, snapshots.started_at + to_seconds(snapshots.duration_seconds)) as ended_at
from snapshots where platform <> 'streampai'
union all
select owners.platform, snapshots.stream_id, owners.channel_id, snapshots.started_at, snapshots.ended_at
from snapshots join owners on snapshots.channel_id = 'owner:' || owners.creator_id
where snapshots.platform = 'streampai';

-- One id per stream: of several that overlap on one channel, the first.
create table stream_ids as
select a.platform, a.stream_id, arg_min(b.stream_id, (b.started_at, b.stream_id)) as canonical_id, any_value(a.channel_id) as channel_id
from streams a join streams b
    on a.platform = b.platform and a.channel_id = b.channel_id
    and 2 * (epoch(least(a.ended_at, b.ended_at)) - epoch(greatest(a.started_at, b.started_at)))
        > least(epoch(a.ended_at) - epoch(a.started_at), epoch(b.ended_at) - epoch(b.started_at))
group by all;

create table messages as
with read as (
    select * from read_parquet('{raw}/chat_messages/*/*/*.parquet', hive_partitioning = true) where event_date is not null
),
once as (
    select * from read
    qualify row_number() over (partition by event_date, platform, message_id order by extracted_at desc, landing_file) = 1
),
native as (
    select distinct platform, viewer_login, text, date_trunc('second', sent_at) as second_at
    from once where not contains(message_id, ':')
),
copies as (
    select event_date, platform, message_id
    from (
        select *, date_trunc('second', sent_at) as second_at from once where contains(message_id, ':')
    ) as other
    semi join native using (platform, viewer_login, text, second_at)
)
select once.event_date, once.platform, once.message_id, once.sent_at,
    coalesce(stream_ids.channel_id, once.channel_id) as channel_id,
    coalesce(stream_ids.canonical_id, once.stream_id) as stream_id,
    once.viewer_id, once.viewer_login, once.text, once.emotes, coalesce(len(once.emotes), 0) as emote_count,
    once.message_type, once.is_action, once.bits_count, once.reply_to_message_id, once.is_first_message,
    once.is_moderator, once.is_subscriber, once.is_vip, once.is_bot, once.shared_from_channel_id, once.source
from once
anti join copies using (event_date, platform, message_id)
left join stream_ids on once.platform = stream_ids.platform and once.stream_id = stream_ids.stream_id;

create table viewer_days as
select event_date, platform, channel_id, stream_id, viewer_id, count(*) as message_count,
    min(sent_at) as first_activity_at, max(sent_at) as last_activity_at
from messages where viewer_id is not null
group by all;

create table chat_minutes as
select platform, stream_id, date_trunc('minute', sent_at) as minute_at, count(*) as message_count,
    count(distinct viewer_id) as chatter_count, sum(emote_count) as emote_count
from messages where stream_id is not null
group by all;

create table viewer_minutes as
with samples as (
    select distinct v.platform, coalesce(i.canonical_id, v.stream_id) as stream_id, v.observed_at, v.viewer_count
    from read_parquet('{raw}/viewer_counts/*/*/*.parquet', hive_partitioning = true) v
    join stream_ids i on v.platform = i.platform and v.stream_id = i.stream_id
    where v.event_date is not null and v.viewer_count is not null
),
held as (
    select *, lead(observed_at) over (partition by platform, stream_id order by observed_at) as next_at from samples
),
split as (
    select platform, stream_id, viewer_count, observed_at, next_at,
        unnest(range(date_trunc('minute', observed_at), next_at, interval 1 minute)) as minute_at
    from held where next_at <= observed_at + interval 300 second
)
select platform, stream_id, minute_at, max(viewer_count) as peak_viewers,
    sum(viewer_count * (epoch_us(least(next_at, minute_at + interval 1 minute)) - epoch_us(greatest(observed_at, minute_at)))) / 1e6
        as viewer_seconds,
    sum(epoch_us(least(next_at, minute_at + interval 1 minute)) - epoch_us(greatest(observed_at, minute_at))) / 1e6
        as observed_seconds
from split
group by all;

create table stream_minutes as
select coalesce(c.platform, v.platform) as platform, coalesce(c.stream_id, v.stream_id) as stream_id,
    coalesce(c.minute_at, v.minute_at) as minute_at, c.message_count, c.chatter_count, c.emote_count,
    v.peak_viewers, v.viewer_seconds, v.observed_seconds
from chat_minutes c
full join viewer_minutes v on c.platform = v.platform and c.stream_id = v.stream_id and c.minute_at = v.minute_at;
