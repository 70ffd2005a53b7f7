"""Processes that cannot outlive the one that started them."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import threading
from pathlib import Path

from jupyter_client.manager import AsyncKernelManager
from jupyter_core.paths import jupyter_runtime_dir
from traitlets import Unicode, default

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent() -> None:
    """Have the kernel kill this process when the one that started it ends, however it ends (Linux; elsewhere nothing)."""
    if hasattr(_libc, "prctl"):
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() == 1:
            # The parent ended before the call, which then waits for a death that has been.
            os.kill(os.getpid(), signal.SIGKILL)


def die_with_asker() -> None:
    """End this process when the one that asked for it through a fork server ends, however it ends.

    The fork server, which is this process's parent, lives for as long as any process that it forked, so that its death
    says nothing.
    """
    asker = multiprocessing.parent_process()

    def watch() -> None:
        asker.join()
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


class BoundKernelManager(AsyncKernelManager):
    """Starts kernels that end with the process that runs the notebook, and that talk over sockets in the file system.

    TCP ports are chosen before they are bound, and notebooks that run at once then take each other's. Sockets have names
    of their own: by default they are `kernel-ipc-1` and so on in the working folder, which notebooks share.
    """

    transport = Unicode("ipc")
    ip = Unicode()

    @default("ip")
    def _ip_default(self) -> str:
        return str(Path(jupyter_runtime_dir()) / f"{os.getpid()}")

    async def start_kernel(self, **options: object) -> None:
        """Start the kernel."""
        await self._async_start_kernel(preexec_fn=die_with_parent, **options)
