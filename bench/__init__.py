"""Makes data: drives reference gateways with load and faults, and writes what happened as parquet."""
