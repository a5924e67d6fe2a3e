{{ day_sources('chat_captures') }}
