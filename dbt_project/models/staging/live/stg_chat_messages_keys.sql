{{ staged_keys('chat_messages') }}
