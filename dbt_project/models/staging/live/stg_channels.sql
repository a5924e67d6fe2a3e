{{ staged_states('channels', derived={
    'login': "lower(login)",
}) }}
