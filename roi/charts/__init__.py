"""Charts as values: one description makes the page, the images and the table of plotted rows."""
