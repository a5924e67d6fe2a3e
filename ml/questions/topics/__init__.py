"""What chat is about: topics per creator, named by their terms, followed over weeks, streams and viewers."""

from ml.question import Question

QUESTION = Question(
    name="topics",
    sentence="What the chat of each creator is about: topics named by their terms, per week, stream and viewer.",
    reads=("fct_chat_messages", "fct_stream_platforms", "fct_stream_minutes"),
    writes=("topics", "topic_weeks", "topic_streams", "topic_viewers"),
)
