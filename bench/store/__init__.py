"""The store: table schemas, parquet writing, and the manifest of a run."""
