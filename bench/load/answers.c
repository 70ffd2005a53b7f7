/*
 * Takes what has arrived on the connections of the load engine, in one call for all of them: waits, receives, and tells
 * which answers are plain. A plain answer came whole in one read, and says HTTP/1.1, a final status, one Content-Length
 * and nothing that ends or changes the connection. Whatever else arrives is handed over as it is, for a whole parser to
 * read: here nothing is ever guessed, so what is plain must be plain to any parser.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#define EVENTS 256
#define LONGEST_LENGTH 9 /* digits of a Content-Length */

struct taken {
    int64_t fd;
    int64_t events; /* of epoll */
    int64_t bytes;  /* received; -1: nothing was, the caller has to */
    int64_t status; /* of a plain answer; 0: the bytes are in the buffer, for a parser */
    int64_t at_ns;  /* instant after receiving, CLOCK_MONOTONIC */
};

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

#define IN_NAME 1
#define IN_VALUE 2

/* What may stand in a field's name (RFC 9110, section 5.6.2: token), and in its value or in a reason. What is beyond ASCII
 * is left to the parser. */
static const unsigned char allowed[256] = {
    ['\t'] = IN_VALUE,
    [' '] = IN_VALUE,
    ['!'] = IN_VALUE | IN_NAME,
    ['"'] = IN_VALUE,
    ['#'... '\''] = IN_VALUE | IN_NAME,
    ['('... ')'] = IN_VALUE,
    ['*'... '+'] = IN_VALUE | IN_NAME,
    [','] = IN_VALUE,
    ['-'... '.'] = IN_VALUE | IN_NAME,
    ['/'] = IN_VALUE,
    ['0'... '9'] = IN_VALUE | IN_NAME,
    [':'... '@'] = IN_VALUE,
    ['A'... 'Z'] = IN_VALUE | IN_NAME,
    ['['... ']'] = IN_VALUE,
    ['^'... 'z'] = IN_VALUE | IN_NAME,
    ['{'] = IN_VALUE,
    ['|'] = IN_VALUE | IN_NAME,
    ['}'] = IN_VALUE,
    ['~'] = IN_VALUE | IN_NAME,
};

static int may(char c, int kind) { return allowed[(unsigned char)c] & kind; }

static int is(const char *name, size_t length, const char *wanted) {
    return length == strlen(wanted) && strncasecmp(name, wanted, length) == 0;
}

/* Give the number that a value is, -1 when it is none. */
static int64_t number(const char *digits, size_t length) {
    int64_t value = 0;
    if (!length || length > LONGEST_LENGTH) return -1;
    for (size_t i = 0; i < length; i++) {
        if (digits[i] < '0' || digits[i] > '9') return -1;
        value = value * 10 + digits[i] - '0';
    }
    return value;
}

/* Give the end of a line, where its CR stands; NULL when there is no end, or something in it does not belong there. */
static const char *end_of_line(const char *from, const char *end) {
    while (from < end && may(*from, IN_VALUE)) from++;
    return end - from >= 2 && from[0] == '\r' && from[1] == '\n' ? from : NULL;
}

/* Give the status when the bytes are one plain answer and nothing more, else 0. */
int plain(const char *bytes, size_t size) {
    static const char version[] = "HTTP/1.1 ";
    const char *at = bytes + sizeof version - 1, *end = bytes + size;
    if (size < 16 || memcmp(bytes, version, sizeof version - 1)) return 0;
    int status = number(at, 3);
    /* Interim answers are followed by others; 204 and 304 have rules of their own. */
    if (status < 200 || status == 204 || status == 304 || at[3] != ' ') return 0;
    int64_t length = -1;
    for (const char *line = end_of_line(at, end); line; line = end_of_line(at, end)) {
        at = line + 2;
        if (end - at >= 2 && at[0] == '\r' && at[1] == '\n') return length >= 0 && end - at - 2 == length ? status : 0;
        const char *name = at;
        while (at < end && may(*at, IN_NAME)) at++;
        size_t named = at - name;
        if (!named || at == end || *at++ != ':') return 0;
        const char *value = at, *last = end_of_line(at, end);
        if (!last) return 0;
        while (value < last && (*value == ' ' || *value == '\t')) value++;
        while (last > value && (last[-1] == ' ' || last[-1] == '\t')) last--;
        if (is(name, named, "content-length")) {
            if (length >= 0 || (length = number(value, last - value)) < 0) return 0;
        } else if (is(name, named, "connection") || is(name, named, "proxy-connection")) {
            if (!is(value, last - value, "keep-alive")) return 0;
        } else if (is(name, named, "transfer-encoding") || is(name, named, "upgrade")) {
            return 0;
        }
    }
    return 0;
}

/*
 * Wait up to `wait_ms` for events, and give as many of them as were looked at, in `taken`, at most EVENTS.
 *
 * `plainly[fd]`, for each fd below `fds`: only plain answers are to be expected there, so what arrives is received here,
 * into `buffer` of `size` bytes. The round ends before its last event when bytes are left in the buffer for the caller,
 * and when `due_ns` has come. What was not looked at is told again in the next round.
 */
int take(int epoll_fd, int wait_ms, int64_t due_ns, const unsigned char *plainly, size_t fds, char *buffer, size_t size,
         struct taken *taken) {
    struct epoll_event events[EVENTS];
    int found = epoll_wait(epoll_fd, events, EVENTS, wait_ms), told = 0;
    for (int i = 0; i < found; i++) {
        int fd = events[i].data.fd;
        struct taken *next = &taken[told];
        *next = (struct taken){fd, events[i].events, -1, 0, 0};
        if (events[i].events != EPOLLIN || (size_t)fd >= fds || !plainly[fd]) {
            told++;
            continue;
        }
        ssize_t got = recv(fd, buffer, size, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        told++;
        if (got <= 0) continue; /* the caller finds the connection ended */
        next->bytes = got;
        next->at_ns = now_ns();
        next->status = plain(buffer, got);
        if (!next->status || next->at_ns >= due_ns) break;
    }
    return told;
}
