"""JupyterLab's files, of which the start page is made at the moment when it is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager

from roi.lab import start_page


class LabContents(AsyncLargeFileManager):
    """The folder's files, as JupyterLab asks for them."""

    async def get(self, path: str, *args: Any, **named: Any) -> dict[str, Any]:
        """Give a file or a folder; the start page as it is now, and not to be written."""
        is_start = path.strip("/") == start_page.FILE
        if is_start:
            start_page.write(Path(self.root_dir))
        model = await super().get(path, *args, **named)
        return model | {"writable": False} if is_start else model
