{{ staged_samples('chat_counts') }}
