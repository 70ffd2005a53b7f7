"""The kernel's own epoll and its flags: Locust patches the select module for gevent, which then has none."""

import select

from gevent import monkey

epoll = monkey.get_original("select", "epoll") if monkey.is_module_patched("select") else select.epoll
"""A private one, which no other greenlet waits on."""
READABLE, WRITABLE, ONCE_AN_EDGE = 1, 4, 1 << 31  # EPOLLIN, EPOLLOUT, EPOLLET
