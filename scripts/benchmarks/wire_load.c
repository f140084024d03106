// wire_load FROM TO COUNT RATE BYTES AT: sends COUNT frames of BYTES bytes by the device FROM, RATE of them a second
// (0: as fast as it goes), and receives them at the device TO. AT is the device that FROM's frames arrive at.
//
// Prints {"sent": …, "received": …, "disordered": …, "dropped_here": …, "seconds": …, "late_ns": […]}: dropped_here
// are those for which this program itself was too slow; late_ns is how long after AT each frame was at TO, by the
// kernel's stamps. They are taken of a COUNT of 100 000 at most: more would cost what is measured.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, NUMBER_AT = 14, STAMPS_MAX = 100000, SILENCE_MS = 1000 };
enum { EXPERIMENT = 0x88b5 };  // IEEE 802: for local experiments

static void fail(const char *what) {
    fprintf(stderr, "wire_load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int open_device(const char *name, int protocol) {
    int number = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0), on = 1, size = 64 << 20;
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET, .sll_protocol = htons(protocol), .sll_ifindex = (int)if_nametoindex(name)};
    setsockopt(number, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    setsockopt(number, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
    setsockopt(number, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    setsockopt(number, SOL_PACKET, 23 /* PACKET_IGNORE_OUTGOING */, &on, sizeof on);
    if (number < 0 || bind(number, (struct sockaddr *)&address, sizeof address) < 0) fail(name);
    return number;
}

struct receiver {
    int socket;
    int64_t received, disordered, last;
    int64_t *stamps;  // by frame number
    struct mmsghdr messages[BATCH];
    struct iovec vectors[BATCH];
    uint8_t heads[BATCH][32];
    char control[BATCH][64];
};

static void take(struct receiver *receiver) {
    for (;;) {
        for (int i = 0; i < BATCH; i++) {
            receiver->vectors[i] = (struct iovec){receiver->heads[i], sizeof receiver->heads[i]};
            receiver->messages[i].msg_hdr = (struct msghdr){
                .msg_iov = &receiver->vectors[i], .msg_iovlen = 1, .msg_control = receiver->control[i],
                .msg_controllen = sizeof receiver->control[i]};
        }
        int count = recvmmsg(receiver->socket, receiver->messages, BATCH, MSG_DONTWAIT, NULL);
        if (count <= 0) return;
        for (int i = 0; i < count; i++) {
            int64_t number;
            memcpy(&number, receiver->heads[i] + NUMBER_AT, sizeof number);
            if (receiver->heads[i][12] != EXPERIMENT >> 8 || receiver->heads[i][13] != (EXPERIMENT & 0xff)) continue;
            receiver->received++;
            if (number <= receiver->last) receiver->disordered++;
            receiver->last = number;
            if (number >= STAMPS_MAX) continue;
            struct cmsghdr *header = CMSG_FIRSTHDR(&receiver->messages[i].msg_hdr);
            struct timespec stamp;
            if (!header) continue;
            memcpy(&stamp, CMSG_DATA(header), sizeof stamp);
            receiver->stamps[number] = (int64_t)stamp.tv_sec * 1000000000 + stamp.tv_nsec;
        }
        if (count < BATCH) return;
    }
}

static struct receiver *create_receiver(const char *device, int protocol) {
    struct receiver *receiver = calloc(1, sizeof *receiver);
    if (!receiver || !(receiver->stamps = calloc(STAMPS_MAX, sizeof *receiver->stamps))) fail("memory");
    receiver->last = -1;
    receiver->socket = open_device(device, protocol);
    return receiver;
}

static int64_t dropped(int socket) {
    struct tpacket_stats statistics = {0};
    socklen_t length = sizeof statistics;
    getsockopt(socket, SOL_PACKET, PACKET_STATISTICS, &statistics, &length);
    return statistics.tp_drops;
}

int main(int argc, char **argv) {
    if (argc != 7) return fprintf(stderr, "wire_load: FROM TO COUNT RATE BYTES AT\n"), 2;
    int64_t count = atoll(argv[3]), rate = atoll(argv[4]), sent = 0;
    size_t length = (size_t)atoll(argv[5]);
    prctl(PR_SET_TIMERSLACK, 1);
    int sender = open_device(argv[1], 0);
    // A bridge takes frames from its port before those who ask for one protocol, and after those who ask for all.
    struct receiver *in = create_receiver(argv[6], ETH_P_ALL), *out = create_receiver(argv[2], EXPERIMENT);
    static uint8_t frames[BATCH][2048];
    static struct mmsghdr messages[BATCH];
    static struct iovec vectors[BATCH];
    for (int i = 0; i < BATCH; i++) {
        memset(frames[i], 0xff, 6);
        memcpy(frames[i] + 6, "\x02\0\0\0\0\x01\x88\xb5", 8);
        frames[i][0] = 2;  // to one station that nobody is
        vectors[i] = (struct iovec){frames[i], length};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i], .msg_iovlen = 1};
    }
    bool stamps_arrivals = count <= STAMPS_MAX;
    int64_t begin = now_ns(), heard = begin;
    while (out->received < count && now_ns() - heard < SILENCE_MS * 1000000LL) {
        int64_t before = out->received;
        int64_t due = rate ? (now_ns() - begin) * rate / 1000000000 + 1 : count;
        if (due > count) due = count;
        int batch = due - sent > BATCH ? BATCH : (int)(due - sent);
        for (int i = 0; i < batch; i++) {
            int64_t number = sent + i;
            memcpy(frames[i] + NUMBER_AT, &number, sizeof number);
        }
        if (batch > 0) {
            int done = sendmmsg(sender, messages, (unsigned)batch, 0);
            if (done > 0) sent += done;
            heard = now_ns();
        }
        if (stamps_arrivals) take(in);
        take(out);
        if (out->received != before) heard = now_ns();
        // A gap of a millisecond and more is slept through, so that the machine is as idle as it is with such frames.
        int64_t gap = rate ? begin + sent * 1000000000 / rate - now_ns() : 0;
        if (sent == count) gap = 1000000;
        struct pollfd wait = {.fd = out->socket, .events = POLLIN};
        if (gap >= 50000) ppoll(&wait, 1, &(struct timespec){.tv_nsec = gap < 999999999 ? gap : 999999999}, NULL);
    }
    double seconds = (double)(now_ns() - begin) / 1e9;
    if (stamps_arrivals) take(in);
    printf("{\"sent\": %ld, \"received\": %ld, \"disordered\": %ld, \"dropped_here\": %ld, \"seconds\": %.6f, "
           "\"late_ns\": [", (long)sent, (long)out->received, (long)out->disordered, (long)dropped(out->socket), seconds);
    bool is_first = true;
    for (int64_t i = 0; i < count && i < STAMPS_MAX; i++) {
        if (!in->stamps[i] || !out->stamps[i]) continue;
        printf("%s%ld", is_first ? "" : ", ", (long)(out->stamps[i] - in->stamps[i]));
        is_first = false;
    }
    printf("]}\n");
    return 0;
}
