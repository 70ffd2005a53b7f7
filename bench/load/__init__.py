"""Load: schedules of arrivals, the engine that follows them inside Locust, and the evidence that it did."""
