{{ staged_events('chat_messages', derived={
    'viewer_id': "coalesce(viewer_id, 'login:' || lower(viewer_login))",
    'viewer_login': "lower(coalesce(viewer_login, case when viewer_id like 'login:%' then substr(viewer_id, 7) end))",
}) }}
