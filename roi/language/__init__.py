"""A report in another language: every text is looked up in catalogues when a page, a chart or a slide is drawn."""
