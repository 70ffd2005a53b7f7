"""JupyterLab as it is used: a folder of notebooks that are the analyst's own, a page to start from, and a quiet server."""
