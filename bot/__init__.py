"""Everything that touches the world: wiring, storage, delivery, time, the command line."""
