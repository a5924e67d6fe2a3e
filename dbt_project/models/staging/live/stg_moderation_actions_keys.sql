{{ staged_keys('moderation_actions') }}
