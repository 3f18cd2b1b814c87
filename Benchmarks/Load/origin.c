// The model server of the benchmarks: answers every POST, after a fixed delay, from three templates that the harness
// wrote: a whole answer, a short event stream, and an event stream with one event a token. Which one is told
// by the request: without "stream":true the whole one, else by whether its model's name is the one for tokens.
//
// Sixteen zeros in a template are replaced by the FNV-1a hash of the request body without its stream member's
// value, so that each request has an answer of its own and a mixed-up cache is found out.
//
// The first event of a stream is sent at once after the delay and the rest after a second one. GET answers with the
// number of POSTs so far.
//
// Usage: origin PORT DELAY-MICROSECONDS GAP-MICROSECONDS WHOLE-FILE EVENTS-FILE TOKENS-FILE TOKENS-MODEL
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { MAX_DESCRIPTORS = 1024, BUFFER = 64 * 1024, MAX_TEMPLATE = 256 * 1024, MAX_MARKS = 1024, EVENTS = 64 };

static const char mark[] = "0000000000000000";
enum { MARK = sizeof mark - 1 };

// An answer's bytes and where in them the hash of the request goes.
struct template {
    char bytes[MAX_TEMPLATE];
    size_t length, firstEvent;
    size_t marks[MAX_MARKS], markCount;
};

enum stage { READING, ANSWERING, CONTINUING };

struct connection {
    enum stage stage;
    uint64_t due;  // nanoseconds; when the stage's bytes are sent
    uint64_t hash;
    struct template *template;
    size_t held;
    char bytes[BUFFER];
};

static struct connection *connections[MAX_DESCRIPTORS];
static struct template whole, events, tokens;
static const char *tokensModel;
static uint64_t delay, gap;
static unsigned long posts;
static int timer;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void load(struct template *template, const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) fail(path);
    template->length = fread(template->bytes, 1, MAX_TEMPLATE, file);
    fclose(file);
    const char *end = memmem(template->bytes, template->length, "\n\n", 2);
    template->firstEvent = end ? (size_t)(end - template->bytes) + 2 : template->length;
    char *at = template->bytes, *limit = template->bytes + template->length;
    while ((at = memmem(at, (size_t)(limit - at), mark, MARK)) && template->markCount < MAX_MARKS) {
        template->marks[template->markCount++] = (size_t)(at - template->bytes);
        at += MARK;
    }
}

static uint64_t fnv(const char *bytes, size_t length, const char *skip, size_t skipped) {
    uint64_t hash = 14695981039346656037u;
    for (size_t index = 0; index < length; index++) {
        if (skip && bytes + index == skip) index += skipped;
        hash = (hash ^ (uint8_t)bytes[index]) * 1099511628211u;
    }
    return hash;
}

static void drop(int descriptor) {
    free(connections[descriptor]);
    connections[descriptor] = NULL;
    close(descriptor);
}

// Writes everything or reports that the client is gone. The wait is bounded: nobody here reads slowly on purpose.
static bool writeAll(int descriptor, const char *bytes, size_t length) {
    int tries = 0;
    while (length > 0) {
        ssize_t count = write(descriptor, bytes, length);
        if (count < 0 && errno == EAGAIN && tries++ < 10000) {
            usleep(100);
            continue;
        }
        if (count <= 0) return false;
        bytes += count;
        length -= (size_t)count;
    }
    return true;
}

// Sends a part of a template, its hash filled in, between a head and a tail.
static bool sendPart(
    int descriptor, struct connection *connection, const char *head, size_t from, size_t to, const char *tail) {
    static char out[MAX_TEMPLATE + 4096];
    char digits[MARK + 1];
    snprintf(digits, sizeof digits, "%016llx", (unsigned long long)connection->hash);
    struct template *template = connection->template;
    for (size_t index = 0; index < template->markCount; index++)
        memcpy(template->bytes + template->marks[index], digits, MARK);
    size_t length = strlen(head);
    memcpy(out, head, length);
    memcpy(out + length, template->bytes + from, to - from);
    length += to - from;
    memcpy(out + length, tail, strlen(tail));
    return writeAll(descriptor, out, length + strlen(tail));
}

static const char commonHead[] =
    "HTTP/1.1 200 OK\r\n"
    "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
    "X-Request-Id: req_0123456789abcdef0123456789abcdef\r\n";

static bool sendStage(int descriptor, struct connection *connection) {
    struct template *template = connection->template;
    char head[1024];
    if (connection->stage == CONTINUING) {
        connection->stage = READING;
        size_t rest = template->length - template->firstEvent;
        snprintf(head, sizeof head, "%zx\r\n", rest);
        return sendPart(descriptor, connection, head, template->firstEvent, template->length, "\r\n0\r\n\r\n");
    }
    if (template == &whole) {
        connection->stage = READING;
        snprintf(head, sizeof head, "%sContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", commonHead,
                 template->length);
        return sendPart(descriptor, connection, head, 0, template->length, "");
    }
    connection->stage = CONTINUING;
    connection->due += gap;
    snprintf(head, sizeof head,
             "%sContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n%zx\r\n", commonHead,
             template->firstEvent);
    return sendPart(descriptor, connection, head, 0, template->firstEvent, "\r\n");
}

static void armTimer(void) {
    uint64_t first = 0;
    for (int index = 0; index < MAX_DESCRIPTORS; index++) {
        struct connection *connection = connections[index];
        if (connection && connection->stage != READING && (!first || connection->due < first)) first = connection->due;
    }
    struct itimerspec when = {.it_value = {(time_t)(first / 1000000000u), (long)(first % 1000000000u)}};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static void sendDue(void) {
    uint64_t time = now();
    for (int index = 0; index < MAX_DESCRIPTORS; index++) {
        struct connection *connection = connections[index];
        while (connection && connection->stage != READING && connection->due <= time) {
            if (!sendStage(index, connection)) {
                drop(index);
                break;
            }
        }
    }
    armTimer();
}

static void answer(int descriptor, struct connection *connection, size_t head, size_t length) {
    connection->bytes[head + length] = 0;
    char *body = connection->bytes + head;
    if (strncmp(connection->bytes, "POST ", 5) != 0) {
        char text[256];
        int digits = snprintf(text, sizeof text, "%lu", posts);
        snprintf(text, sizeof text,
                 "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%lu", digits, posts);
        if (!writeAll(descriptor, text, strlen(text))) drop(descriptor);
        return;
    }
    posts++;
    static const char member[] = "\"stream\":";
    char *stream = memmem(body, length, member, sizeof member - 1);
    bool streamed = stream && strncmp(stream + sizeof member - 1, "true", 4) == 0;
    connection->template = !streamed ? &whole : memmem(body, length, tokensModel, strlen(tokensModel)) ? &tokens : &events;
    // The harness pads `true` to the length of `false`, so both forms of a request share a hash.
    connection->hash = fnv(body, length, stream ? stream + sizeof member - 1 : NULL, 5);
    connection->stage = ANSWERING;
    connection->due = now() + delay;
}

static void serve(int descriptor) {
    struct connection *connection = connections[descriptor];
    ssize_t count = read(descriptor, connection->bytes + connection->held, BUFFER - 1 - connection->held);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) return drop(descriptor);
    connection->held += (size_t)count;
    connection->bytes[connection->held] = 0;
    char *end = strstr(connection->bytes, "\r\n\r\n");
    if (!end) return connection->held == BUFFER - 1 ? drop(descriptor) : (void)0;
    size_t head = (size_t)(end - connection->bytes) + 4;
    char *field = strcasestr(connection->bytes, "\r\ncontent-length:");
    size_t body = field && field < end ? strtoul(field + 17, NULL, 10) : 0;
    if (body > BUFFER - 1 - head) return drop(descriptor);
    if (connection->held < head + body) return;
    // One request at a time: nobody who calls this server pipelines.
    connection->held = 0;
    answer(descriptor, connection, head, body);
}

static void acceptAll(int set, int listener) {
    int descriptor;
    while ((descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *connection = descriptor < MAX_DESCRIPTORS ? calloc(1, sizeof *connection) : NULL;
        if (!connection) {
            close(descriptor);
            continue;
        }
        connections[descriptor] = connection;
        int on = 1;
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
        if (epoll_ctl(set, EPOLL_CTL_ADD, descriptor, &event) < 0) drop(descriptor);
    }
}

static int listenOn(int port) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0) fail("bind");
    if (listen(listener, 1024) < 0) fail("listen");
    return listener;
}

int main(int count, char **arguments) {
    if (count != 8) {
        fprintf(stderr, "usage: origin PORT DELAY-US GAP-US WHOLE-FILE EVENTS-FILE TOKENS-FILE TOKENS-MODEL\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    delay = strtoull(arguments[2], NULL, 10) * 1000;
    gap = strtoull(arguments[3], NULL, 10) * 1000;
    load(&whole, arguments[4]);
    load(&events, arguments[5]);
    load(&tokens, arguments[6]);
    tokensModel = arguments[7];
    int listener = listenOn(atoi(arguments[1]));
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    int set = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    struct epoll_event tick = {.events = EPOLLIN, .data.fd = timer};
    if (timer < 0 || set < 0 || epoll_ctl(set, EPOLL_CTL_ADD, listener, &event) < 0
        || epoll_ctl(set, EPOLL_CTL_ADD, timer, &tick) < 0)
        fail("epoll");
    for (;;) {
        struct epoll_event ready[EVENTS];
        int number = epoll_wait(set, ready, EVENTS, -1);
        if (number < 0 && errno != EINTR) fail("epoll_wait");
        for (int index = 0; index < number; index++) {
            int descriptor = ready[index].data.fd;
            uint64_t expirations;
            if (descriptor == listener) acceptAll(set, listener);
            else if (descriptor == timer) (void)!read(timer, &expirations, sizeof expirations);
            else serve(descriptor);
        }
        sendDue();
    }
}
