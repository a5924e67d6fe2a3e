-- files: */schedule.json
-- One segment per run. Start times are UTC; the schedule counts as seen when its last run ended. `json` is the whole
-- object: the schedules of 2017 have no category and no host, so these are no column of every file.
select
    'twitch' as platform,
    split_part(_file, '/', 1) as stream_id,
    start_time as segment_started_at,
    start_time::timestamp + duration::interval as segment_ended_at,
    name as category_name,
    concat_ws(': ', name, json ->> 'category') as title,
    json_object('runners', runners, 'host', json ->> 'host') as extra,
    max(start_time::timestamp + duration::interval) over () as observed_at
from {file}
