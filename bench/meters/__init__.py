"""What a gateway, its runtime and the machine did while a cell ran: one module a source."""
