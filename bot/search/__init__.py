"""Finding proposals in the log: by time, person, agent, tool, amount, state, rule and words."""
