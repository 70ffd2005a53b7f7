/*
 * An HTTP/1.1 server whose behaviour is known exactly: the ground truth of the proofs, and the null server of the
 * calibration. One thread, one epoll, loopback only.
 *
 *   known_server PORT [LOG]
 *
 * What a request asks for stands in its path:
 *   /delay/MICROSECONDS/ID    answered that long after it was read, whatever else is under way
 *   /queue/MICROSECONDS/ID    served by a single server, first come first served, each for exactly that long
 *   anything else             answered at once
 *
 * SIGTERM ends it: it writes to LOG three int64 a request (ID, or -1; the instant it was read; the instant its answer
 * was sent; ns of CLOCK_MONOTONIC) and prints how many requests it has read.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define LARGEST_REQUEST (1 << 17)
#define MOST_CONNECTIONS 65536
#define EVENTS 512

static const char ANSWER[] =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 94\r\n\r\n"
    "{\"answer\":\"the null server gives every request the same ninety-four bytes, known beforehand.\"}";

struct connection {
    char *buffer;
    size_t filled;
};

struct exchange {
    int64_t id, read_ns, sent_ns;
};

struct due {
    int64_t at_ns;
    int fd;
    struct exchange exchange;
};

static struct connection connections[MOST_CONNECTIONS];
static struct exchange *logged;
static size_t log_size, log_room;
static int logging;
static long long requests;
static struct due *heap;
static size_t heap_size, heap_room;
static struct due at_once[EVENTS];
static size_t waiting;
static int64_t server_free_ns;
static int timer_fd, epoll_fd;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void *grown(void *array, size_t *room, size_t item) {
    *room = *room ? *room * 2 : 4096;
    array = realloc(array, *room * item);
    if (!array) fail("realloc");
    return array;
}

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void hang_up(int fd) {
    close(fd);
    connections[fd].filled = 0;
    /* An answer still due on this connection has nobody to go to. */
    for (size_t i = 0; i < heap_size; i++)
        if (heap[i].fd == fd) heap[i].fd = -1;
    for (size_t i = 0; i < waiting; i++)
        if (at_once[i].fd == fd) at_once[i].fd = -1;
}

static void answer(int fd, struct exchange exchange) {
    if (logging) {
        exchange.sent_ns = now_ns();
        if (log_size == log_room) logged = grown(logged, &log_room, sizeof *logged);
        logged[log_size++] = exchange;
    }
    if (fd >= 0 && send(fd, ANSWER, sizeof ANSWER - 1, MSG_NOSIGNAL) < 0) hang_up(fd);
}

static void wake_at(int64_t at_ns) {
    struct itimerspec when = {.it_value = {at_ns / 1000000000, at_ns % 1000000000}};
    timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void swap(size_t a, size_t b) {
    struct due kept = heap[a];
    heap[a] = heap[b];
    heap[b] = kept;
}

static void later(struct due due) {
    if (heap_size == heap_room) heap = grown(heap, &heap_room, sizeof *heap);
    size_t place = heap_size++;
    heap[place] = due;
    for (; place && heap[(place - 1) / 2].at_ns > heap[place].at_ns; place = (place - 1) / 2) swap(place, (place - 1) / 2);
    if (place == 0) wake_at(due.at_ns);
}

static void answer_what_is_due(void) {
    while (heap_size && heap[0].at_ns <= now_ns()) {
        struct due first = heap[0];
        heap[0] = heap[--heap_size];
        for (size_t place = 0;;) {
            size_t least = place, left = 2 * place + 1, right = left + 1;
            if (left < heap_size && heap[left].at_ns < heap[least].at_ns) least = left;
            if (right < heap_size && heap[right].at_ns < heap[least].at_ns) least = right;
            if (least == place) break;
            swap(place, least);
            place = least;
        }
        answer(first.fd, first.exchange);
    }
    if (heap_size) wake_at(heap[0].at_ns);
}

static void serve(int fd, const char *request, int64_t read_ns) {
    struct exchange exchange = {-1, read_ns, 0};
    const char *path = strchr(request, ' ');
    long long microseconds, id;
    requests++;
    if (path && sscanf(path, " /delay/%lld/%lld", &microseconds, &id) == 2) {
        exchange.id = id;
        later((struct due){read_ns + microseconds * 1000, fd, exchange});
    } else if (path && sscanf(path, " /queue/%lld/%lld", &microseconds, &id) == 2) {
        exchange.id = id;
        server_free_ns = (server_free_ns > read_ns ? server_free_ns : read_ns) + microseconds * 1000;
        later((struct due){server_free_ns, fd, exchange});
    } else {
        at_once[waiting++] = (struct due){read_ns, fd, exchange};
    }
}

/* Answers go out together once everything that has arrived is read: one by one, each would wake a client that sleeps. */
static void answer_at_once(void) {
    for (size_t i = 0; i < waiting; i++) answer(at_once[i].fd, at_once[i].exchange);
    waiting = 0;
}

/* Give the length of the whole request at the start of the buffer; 0 when it is not all there yet. */
static size_t whole(const struct connection *connection) {
    const char *end = memmem(connection->buffer, connection->filled, "\r\n\r\n", 4);
    if (!end) return 0;
    size_t head = end - connection->buffer + 4, body = 0;
    for (const char *line = connection->buffer; line && line < end; line = memchr(line, '\n', end - line)) {
        line += *line == '\n';
        if (strncasecmp(line, "content-length:", 15) == 0) body = strtoul(line + 15, NULL, 10);
    }
    return connection->filled >= head + body ? head + body : 0;
}

static void receive(int fd) {
    struct connection *connection = &connections[fd];
    ssize_t got = recv(fd, connection->buffer + connection->filled, LARGEST_REQUEST - connection->filled, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
        hang_up(fd);
        return;
    }
    int64_t read_ns = now_ns();
    connection->filled += got;
    connection->buffer[connection->filled] = 0;
    for (size_t length; (length = whole(connection));) {
        if (waiting == EVENTS) answer_at_once();
        serve(fd, connection->buffer, read_ns);
        connection->filled -= length;
        memmove(connection->buffer, connection->buffer + length, connection->filled + 1);
    }
    if (connection->filled == LARGEST_REQUEST) hang_up(fd);
}

static void watch(int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event)) fail("epoll_ctl");
}

static void accept_all(int listener) {
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        if (fd >= MOST_CONNECTIONS) {
            close(fd);
            continue;
        }
        int yes = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        connections[fd].filled = 0;
        if (!connections[fd].buffer && !(connections[fd].buffer = malloc(LARGEST_REQUEST + 1))) fail("malloc");
        watch(fd);
    }
}

static int listen_at(const char *port) {
    int yes = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(atoi(port)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 4096)) fail("listen");
    return fd;
}

static int end_signals(void) {
    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGINT);
    sigprocmask(SIG_BLOCK, &ending, NULL);
    return signalfd(-1, &ending, SFD_CLOEXEC);
}

static void write_log(const char *path) {
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(logged, sizeof *logged, log_size, file) != log_size || fclose(file)) fail(path);
}

int main(int count, char **arguments) {
    if (count < 2) {
        fprintf(stderr, "usage: known_server PORT [LOG]\n");
        return 2;
    }
    logging = count > 2;
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    int listener = listen_at(arguments[1]), ending = end_signals();
    watch(listener);
    watch(timer_fd);
    watch(ending);
    for (struct epoll_event events[EVENTS];;) {
        int found = epoll_wait(epoll_fd, events, EVENTS, -1);
        for (int i = 0; i < found; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                accept_all(listener);
            } else if (fd == timer_fd) {
                uint64_t fired;
                (void)!read(timer_fd, &fired, sizeof fired);
                answer_what_is_due();
            } else if (fd == ending) {
                if (logging) write_log(arguments[2]);
                printf("%lld\n", requests);
                return 0;
            } else {
                receive(fd);
            }
        }
        answer_at_once();
    }
}
