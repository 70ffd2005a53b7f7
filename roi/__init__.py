"""Makes sense of data: studies over the parquet of a run, and the reports made from them."""
