"""What the next stream can expect: average and peak viewers for a weekday, hour, category and duration."""

from ml.question import Question

QUESTION = Question(
    name="next_stream",
    sentence="Average and peak viewers of the next stream by weekday, hour, category and duration.",
    reads=("feat_stream_starts", "fct_streams", "fct_stream_platforms", "fct_stream_minutes"),
    writes=("next_streams",),
    horizon_days=28,
)
