"""What holds for every test."""

import signal

# A shell starts background jobs with Ctrl-C ignored, and children inherit that: the tests send it and mean it.
signal.signal(signal.SIGINT, signal.default_int_handler)
