"""The use cases: one method, one transaction. Provides what `handlers.desk` asks for."""
