{{ staged_samples('chat_captures') }}
