"""Statistics of benchmarks: pure functions over arrays, each with its source."""
