{{ day_sources('moderation_actions') }}
