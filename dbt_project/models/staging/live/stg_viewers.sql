{{ staged_states('viewers', derived={
    'login': "lower(login)",
}) }}
