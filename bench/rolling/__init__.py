"""Rolling restarts: instances replaced one by one behind a real balancer, under load."""
