{{ day_sources('chat_messages') }}
