"""The weekly review: what of a role's week somebody should look at, and who has done so."""
