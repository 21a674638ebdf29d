"""The store: the only place that knows SQL. Rows stay here; dataclasses leave."""
