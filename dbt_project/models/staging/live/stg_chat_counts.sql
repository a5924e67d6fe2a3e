{{ staged_events('chat_counts') }}
