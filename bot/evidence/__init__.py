"""Evidence of one decision: what was recorded, proved under a signed checkpoint, and shown as it was."""
