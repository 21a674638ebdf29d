"""The log's entries in the forms that other tools read. Each form is a pure function of one entry; it hides nothing."""
