"""What comes next: the daily and weekly series of each channel."""

from ml.question import Question

QUESTION = Question(
    name="forecast",
    sentence="The next 90 days of each channel's daily and weekly counts, with intervals and scenarios.",
    reads=("feat_channel_days",),
    writes=("channel_forecasts",),
    horizon_days=90,
    first_outcome_days=7,
)
