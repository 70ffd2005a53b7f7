"""A report as slides: what they say, how it is laid out on a template, and the file."""
