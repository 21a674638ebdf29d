"""The access review: who may approve what, through which role and with which factor, and who has looked at that."""
