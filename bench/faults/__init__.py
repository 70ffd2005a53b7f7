"""Recovery: faults, a supervisor with kubelet's constants, and a prober that sees the outage from outside."""
