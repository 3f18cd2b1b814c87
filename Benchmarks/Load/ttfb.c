// Measures what a proxy adds to a call: sends one request at a time, to each target in turn, every one with a body
// that was never sent before, and prints when the first byte of the body and when the last one came.
//
// Usage: ttfb COUNT SECONDS SEED REQUEST-FILE PORT... ; sixteen `@` in the request are replaced by a number.
// Prints a line a request: TARGET-INDEX FIRST-BYTE-NANOSECONDS LAST-BYTE-NANOSECONDS.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { MAX_TARGETS = 8, BUFFER = 512 * 1024, MAX_REQUEST = 64 * 1024, TIMEOUT_SECONDS = 5 };

struct timing {
    uint64_t first, last;
};

static char request[MAX_REQUEST], response[BUFFER + 1];
static size_t requestLength;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static int connectTo(int port) {
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval limit = {.tv_sec = TIMEOUT_SECONDS};
    int on = 1;
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
    return descriptor;
}

// Whether the response is all there, by its length or by its last chunk.
static bool isComplete(size_t head, size_t held) {
    char *field = strcasestr(response, "\r\ncontent-length:");
    if (field && field < response + head) return held >= head + strtoul(field + 17, NULL, 10);
    return held >= head + 5 && memcmp(response + held - 5, "0\r\n\r\n", 5) == 0;
}

// Sends the request and reads the response; false if the server closed the connection.
static bool call(int descriptor, struct timing *timing) {
    uint64_t start = now();
    if (write(descriptor, request, requestLength) != (ssize_t)requestLength) return false;
    size_t held = 0, head = 0;
    timing->first = 0;
    for (;;) {
        ssize_t count = read(descriptor, response + held, BUFFER - held);
        if (count <= 0) return false;
        held += (size_t)count;
        response[held] = 0;
        if (!head) {
            char *end = strstr(response, "\r\n\r\n");
            if (!end) continue;
            head = (size_t)(end - response) + 4;
        }
        if (!timing->first && held > head) timing->first = now() - start;
        if (isComplete(head, held)) break;
        if (held == BUFFER) return false;
    }
    timing->last = now() - start;
    if (strncmp(response, "HTTP/1.1 200", 12) != 0) {
        fprintf(stderr, "unexpected answer: %.200s\n", response);
        exit(1);
    }
    return true;
}

static char *loadRequest(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) fail(path);
    requestLength = fread(request, 1, MAX_REQUEST - 1, file);
    fclose(file);
    char *place = memmem(request, requestLength, "@@@@@@@@@@@@@@@@", 16);
    if (!place) {
        fprintf(stderr, "no place for a number in %s\n", path);
        exit(2);
    }
    return place;
}

int main(int count, char **arguments) {
    if (count < 6 || count - 5 > MAX_TARGETS) {
        fprintf(stderr, "usage: ttfb COUNT SECONDS SEED REQUEST-FILE PORT...\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    long rounds = atol(arguments[1]);
    uint64_t limit = now() + strtoull(arguments[2], NULL, 10) * 1000000000u;
    uint64_t number = strtoull(arguments[3], NULL, 10);
    char *place = loadRequest(arguments[4]);
    int targets = count - 5, descriptors[MAX_TARGETS];
    for (int target = 0; target < targets; target++) descriptors[target] = connectTo(atoi(arguments[5 + target]));
    for (long round = 0; round < rounds && now() < limit; round++) {
        for (int step = 0; step < targets; step++) {
            // The order rotates, so that no target always follows the same one.
            int target = (int)((round + step) % targets);
            char digits[17];
            snprintf(digits, sizeof digits, "%016llx", (unsigned long long)number++);
            memcpy(place, digits, 16);
            struct timing timing;
            if (call(descriptors[target], &timing)) {
                printf("%d %llu %llu\n", target, (unsigned long long)timing.first, (unsigned long long)timing.last);
                continue;
            }
            close(descriptors[target]);
            descriptors[target] = connectTo(atoi(arguments[5 + target]));
        }
    }
    return 0;
}
