/*
 * The least an HTTP responder can do: one thread, one epoll, a fixed answer to every request.
 *
 * It reads until it has the body that Content-Length announces, looks at nothing else, and writes a prepared
 * answer. What another server costs beyond this is what it does beyond this.
 *
 *     gcc -O2 -o epoll epoll.c && ./epoll [PORT] [ANSWER_BYTES]
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256, BUFFER = 64 * 1024, DESCRIPTORS = 65536 };

struct connection {
    char *buffer;
    size_t used;
};

static struct connection connections[DESCRIPTORS];
static char answer[BUFFER];
static size_t answer_length;

static void prepare_answer(size_t body)
{
    int head = snprintf(answer, sizeof answer,
                        "HTTP/1.1 200 OK\r\n"
                        "Content-Type: application/json\r\n"
                        "Cache-Status: refrain; hit; detail=memory; ttl=3400; key=\"0123456789abcdef0123456789abcdef\"\r\n"
                        "Age: 200\r\n"
                        "x-refrain-cache: hit\r\n"
                        "x-refrain-tier: memory\r\n"
                        "x-request-id: req_0123456789abcdef\r\n"
                        "openai-version: 2020-10-01\r\n"
                        "openai-processing-ms: 512\r\n"
                        "Content-Length: %zu\r\n\r\n",
                        body);
    if (head < 0 || (size_t) head + body > sizeof answer) {
        fprintf(stderr, "epoll: the answer must fit %zu bytes\n", sizeof answer);
        exit(2);
    }
    memset(answer + head, 'x', body);
    answer_length = (size_t) head + body;
}

static void drop(int descriptor)
{
    free(connections[descriptor].buffer);
    connections[descriptor] = (struct connection) {0};
    close(descriptor);
}

/* The length of the first complete request in the buffer, 0 while it is incomplete. */
static size_t request_length(char *buffer, size_t used)
{
    char *end = memmem(buffer, used, "\r\n\r\n", 4);
    if (!end)
        return 0;
    size_t head = (size_t) (end - buffer) + 4;
    char *line = memmem(buffer, head, "Content-Length:", 15);
    size_t body = line ? strtoul(line + 15, NULL, 10) : 0;
    return used >= head + body ? head + body : 0;
}

static void serve(int descriptor)
{
    struct connection *connection = &connections[descriptor];
    ssize_t received = recv(descriptor, connection->buffer + connection->used, BUFFER - 1 - connection->used, 0);
    if (received < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (received <= 0) {
        drop(descriptor);
        return;
    }
    connection->used += (size_t) received;
    connection->buffer[connection->used] = 0;
    size_t length;
    while ((length = request_length(connection->buffer, connection->used)) > 0) {
        if (send(descriptor, answer, answer_length, MSG_NOSIGNAL) != (ssize_t) answer_length) {
            drop(descriptor);
            return;
        }
        connection->used -= length;
        memmove(connection->buffer, connection->buffer + length, connection->used);
    }
    if (connection->used == BUFFER - 1)
        drop(descriptor);
}

static void accept_all(int listener, int epoll)
{
    for (;;) {
        int descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor < 0)
            return;
        int on = 1;
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        char *buffer = descriptor < DESCRIPTORS ? malloc(BUFFER) : NULL;
        struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
        if (!buffer || epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) != 0) {
            free(buffer);
            close(descriptor);
            continue;
        }
        connections[descriptor] = (struct connection) {.buffer = buffer};
    }
}

int main(int count, char **arguments)
{
    int port = count > 1 ? atoi(arguments[1]) : 8411;
    prepare_answer(count > 2 ? strtoul(arguments[2], NULL, 10) : 1500);

    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((unsigned short) port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    if (bind(listener, (struct sockaddr *) &address, sizeof address) != 0 || listen(listener, 1024) != 0 ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) != 0) {
        perror("epoll: listen");
        return 1;
    }
    printf("listening on %d\n", port);
    fflush(stdout);
    for (;;) {
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.fd == listener)
                accept_all(listener, epoll);
            else
                serve(events[i].data.fd);
        }
    }
}
