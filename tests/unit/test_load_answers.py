"""Answers told plain in C: whatever is, a whole HTTP parser reads in just the same way."""

from __future__ import annotations

import httptools
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bench.load.answers import plain

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
NAMES = (
    b"Content-Type",
    b"content-length",
    b"Date",
    b"Connection",
    b"Keep-Alive",
    b"Transfer-Encoding",
    b"X-\xe9",
    b"a b",
    b"",
)
VALUES = (
    b"2",
    b"0",
    b"3",
    b"close",
    b"keep-alive",
    b"chunked",
    b"application/json",
    b"",
    b"2, 2",
    b"+2",
    b"\x01",
    b"\xe9",
)
STATUSES = (b"200", b"404", b"503", b"204", b"304", b"100", b"99", b"2000", b"abc")


class Read:
    """What httptools makes of bytes."""

    def __init__(self, answer: bytes) -> None:
        self.whole = 0
        self.body = b""
        self._parser = httptools.HttpResponseParser(self)
        self._parser.feed_data(answer)

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.whole += 1
        self.status, self.stays = self._parser.get_status_code(), self._parser.should_keep_alive()


def assert_read_alike(answer: bytes) -> None:
    """Assert that what is plain is to httptools one whole answer, with this status, and that the connection stays."""
    if status := plain(answer):
        read = Read(answer)
        assert (read.status, read.whole, read.stays) == (status, 1, True)
        assert answer.endswith(b"\r\n\r\n" + read.body)


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """Draw an answer that may be right."""
    fields = draw(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)), max_size=3))
    lines = [b"%b:%b%b" % (name, draw(st.sampled_from((b" ", b"", b"\t "))), value) for name, value in fields]
    lines.insert(draw(st.integers(0, len(lines))), b"Content-Length: 2")
    version = draw(st.sampled_from((b"HTTP/1.1", b"HTTP/1.0", b"http/1.1", b"HTTP/2")))
    reason = draw(st.sampled_from((b" OK", b" ", b"", b" Not Found", b"\x7f")))
    first = b"%b %b%b" % (version, draw(st.sampled_from(STATUSES)), reason)
    return b"\r\n".join((first, *lines, b"", draw(st.sampled_from((b"{}", b"", b"{", b"{}H")))))


@given(answers())
@example(OK)
def test_a_plain_answer_is_one_whole_answer_to_a_parser_of_the_whole_protocol(answer: bytes) -> None:
    assert_read_alike(answer)


@given(st.binary(max_size=3), st.integers(0, len(OK)), st.integers(0, 3))
def test_so_is_one_with_bytes_added_taken_away_or_replaced_anywhere(put: bytes, at: int, gone: int) -> None:
    assert_read_alike(OK[:at] + put + OK[at + gone :])


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (OK, 200),
        (b"HTTP/1.1 404 Not Found\r\ncontent-length:0\r\nConnection: Keep-Alive\r\nKeep-Alive: timeout=5\r\n\r\n", 404),
        (b"HTTP/1.1 503 \r\nDate: Thu, 26 Nov 2026 12:00:00 GMT\r\nContent-Length: \t3 \r\n\r\nbad", 503),
    ],
    ids=("least", "keep-alive", "no reason"),
)
def test_plain_answers_have_their_status(answer: bytes, status: int) -> None:
    assert plain(answer) == status


@pytest.mark.parametrize("answer", [
    OK[:-1], OK + b"H", OK + OK, OK[:30], b"", b"H",
    OK.replace(b"200", b"101"), OK.replace(b"200", b"204"), OK.replace(b"200", b"304"), OK.replace(b"1.1", b"1.0"),
    OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
    OK.replace(b"Content-Length: 2", b"Transfer-Encoding: chunked"),
    OK.replace(b"\r\n\r\n", b"\r\nContent-Length: 2\r\n\r\n"),
    OK.replace(b"Length: 2", b"Length: -2"), OK.replace(b"Length: 2", b"Length: 0000000002"), OK.replace(b"\r\n", b"\n"),
    OK.replace(b"Content-Length: 2\r\n", b""),
])  # fmt: skip
def test_what_ends_early_goes_on_or_changes_the_connection_is_not_plain(answer: bytes) -> None:
    assert plain(answer) == 0
