{{ staged_events('moderation_actions') }}
