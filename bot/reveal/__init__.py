"""What people are not shown of a proposal: covered wherever it is read, and uncovered only for a look on record."""
