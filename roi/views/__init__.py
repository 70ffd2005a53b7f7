"""What the notebooks show of each study: charts, tables and sentences, computed from the run and never typed."""
