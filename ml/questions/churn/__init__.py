"""Who is about to leave: per creator, platform and viewer, the probability of no activity in four coming weeks."""

from ml.question import Question

QUESTION = Question(
    name="churn",
    sentence="Who shows no activity in the four weeks after the next: probability, interval and reasons per viewer.",
    reads=("feat_viewers", "fct_viewer_days", "fct_stream_platforms", "dim_channels", "dim_viewers"),
    writes=("viewer_churn", "model_drift"),
    horizon_days=35,
)
