{{ day_sources('chat_counts') }}
