#pragma once
// Packet sockets that move many Ethernet frames at a time, with the kernel's offload headers; part of CLinux.h.
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// Named by struct virtio_net_hdr (linux/virtio_net.h), whose macros Swift does not see.
static const uint8_t CLINUX_VIRTIO_NEEDS_CHECKSUM = 1;
static const uint8_t CLINUX_VIRTIO_GSO_NONE = 0;
static const uint8_t CLINUX_VIRTIO_GSO_TCPV4 = 1;
static const uint8_t CLINUX_VIRTIO_GSO_UDP = 3;
static const uint8_t CLINUX_VIRTIO_GSO_TCPV6 = 4;
static const uint8_t CLINUX_VIRTIO_GSO_UDP_L4 = 5;
static const uint8_t CLINUX_VIRTIO_GSO_ECN = 0x80;
static const int CLINUX_SO_SNDBUFFORCE = 32;

/// How many frames one system call moves.
static const int CLINUX_FRAME_BATCH = 64;
/// Before each received frame: room for a VLAN tag that is put back.
static const int CLINUX_FRAME_HEADROOM = 16;
/// The longest frame: what TCP hands down at once where IPv6 allows more than 64 KB (BIG TCP) is segmented before.
static const int CLINUX_FRAME_ROOM = 1 << 17;

// recvmmsg(2)'s own, which <sys/socket.h> hides without _GNU_SOURCE.
struct clinux_mmsghdr {
    struct msghdr header;
    unsigned length;
};

/// A received frame.
struct clinux_frame {
    uint8_t *bytes;                  ///< From its Ethernet header on; CLINUX_FRAME_HEADROOM bytes before are free.
    uint32_t length;
    int truncated;                   ///< It was longer than CLINUX_FRAME_ROOM.
    int has_tag;                     ///< The kernel has taken a VLAN tag out (PACKET_AUXDATA).
    uint16_t tag_protocol;           ///< The tag's EtherType and control information, in the host's order.
    uint16_t tag_control;
    int64_t realtime_nanoseconds;    ///< The kernel's stamp; 0 without one.
    struct virtio_net_hdr *offload;  ///< PACKET_VNET_HDR.
};

/// What recvmmsg(2) needs for CLINUX_FRAME_BATCH frames.
struct clinux_frames_in {
    struct clinux_mmsghdr messages[64];
    struct iovec vectors[64][2];
    struct virtio_net_hdr offloads[64];
    char control[64][128];
    struct clinux_frame frames[64];
    uint8_t *memory;
};

/// Memory for received frames; NULL without any. It is touched only as far as frames fill it.
static inline struct clinux_frames_in *clinux_frames_in_create(void) {
    // Slots that begin at the same place of a page would fight for the same lines of the cache.
    const size_t slot = (size_t)CLINUX_FRAME_HEADROOM + (size_t)CLINUX_FRAME_ROOM + 4096 + 192;
    struct clinux_frames_in *in = calloc(1, sizeof *in);
    if (!in) return NULL;
    in->memory = malloc(slot * 64);
    if (!in->memory) {
        free(in);
        return NULL;
    }
    for (int i = 0; i < CLINUX_FRAME_BATCH; i++) {
        uint8_t *start = in->memory + slot * (size_t)i + CLINUX_FRAME_HEADROOM;
        in->frames[i].offload = &in->offloads[i];
        in->vectors[i][0] = (struct iovec){&in->offloads[i], sizeof in->offloads[i]};
        in->vectors[i][1] = (struct iovec){start, (size_t)CLINUX_FRAME_ROOM};
    }
    return in;
}

static inline void clinux_frames_in_destroy(struct clinux_frames_in *in) {
    free(in->memory);
    free(in);
}

/// The frame in a slot.
static inline struct clinux_frame *clinux_frames_in_at(struct clinux_frames_in *in, int slot) {
    return &in->frames[slot];
}

/// Receives what is there, up to CLINUX_FRAME_BATCH frames: their number, or -1 with errno.
static inline int clinux_frames_receive(int socket, struct clinux_frames_in *in) {
    for (int i = 0; i < CLINUX_FRAME_BATCH; i++)
        in->messages[i].header = (struct msghdr){
            .msg_iov = in->vectors[i], .msg_iovlen = 2, .msg_control = in->control[i],
            .msg_controllen = sizeof in->control[i]};
    int count = (int)syscall(SYS_recvmmsg, socket, in->messages, CLINUX_FRAME_BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < count; i++) {
        struct clinux_frame *frame = &in->frames[i];
        struct msghdr *message = &in->messages[i].header;
        unsigned length = in->messages[i].length;
        frame->bytes = in->vectors[i][1].iov_base;
        frame->length = length > sizeof in->offloads[i] ? length - (unsigned)sizeof in->offloads[i] : 0;
        frame->truncated = (message->msg_flags & MSG_TRUNC) != 0;
        frame->has_tag = 0;
        frame->realtime_nanoseconds = 0;
        for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header; header = CMSG_NXTHDR(message, header)) {
            if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == 35 /* SCM_TIMESTAMPNS */) {
                struct timespec stamp;
                memcpy(&stamp, CMSG_DATA(header), sizeof stamp);
                frame->realtime_nanoseconds = (int64_t)stamp.tv_sec * 1000000000 + stamp.tv_nsec;
            }
            if (header->cmsg_level == SOL_PACKET && header->cmsg_type == PACKET_AUXDATA) {
                struct tpacket_auxdata auxiliary;
                memcpy(&auxiliary, CMSG_DATA(header), sizeof auxiliary);
                if (!(auxiliary.tp_status & TP_STATUS_VLAN_VALID)) continue;
                frame->has_tag = 1;
                frame->tag_control = auxiliary.tp_vlan_tci;
                frame->tag_protocol =
                    auxiliary.tp_status & TP_STATUS_VLAN_TPID_VALID ? auxiliary.tp_vlan_tpid : ETH_P_8021Q;
            }
        }
    }
    return count;
}

/// What sendmmsg(2) needs for CLINUX_FRAME_BATCH frames.
struct clinux_frames_out {
    struct clinux_mmsghdr messages[64];
    struct iovec vectors[64][2];
    int count;
};

/// Notes a frame with its offload header to be sent; both stay valid until it is. There must be room.
static inline void clinux_frames_append(
    struct clinux_frames_out *out, void *offload, void *bytes, size_t length) {
    struct iovec *vectors = out->vectors[out->count];
    vectors[0] = (struct iovec){offload, sizeof(struct virtio_net_hdr)};
    vectors[1] = (struct iovec){bytes, length};
    out->messages[out->count++] =
        (struct clinux_mmsghdr){.header = {.msg_iov = vectors, .msg_iovlen = 2}};
}

/// Sends the noted frames by a bound packet socket, and forgets them: how many the kernel has taken.
static inline int clinux_frames_send(int socket, struct clinux_frames_out *out) {
    int done = 0, taken = 0;
    while (done < out->count) {
        int sent = (int)syscall(
            SYS_sendmmsg, socket, out->messages + done, (unsigned)(out->count - done), MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR) continue;
        // The frame at which it stopped is refused: the device is down, the frame is longer than its MTU.
        if (sent <= 0) { done++; continue; }
        done += sent;
        taken += sent;
    }
    out->count = 0;
    return taken;
}

/// Opens a packet socket for all frames of the device with that index, in the calling thread's network namespace:
/// -1 with errno. What the device sends is not received, the others come with stamps, VLAN tags and offload headers.
/// In a user namespace its buffers are as large as the machine lets everybody's be (net.core.rmem_max).
static inline int clinux_frame_socket(int device, int buffer_bytes) {
    int number = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (number < 0) return -1;
    int on = 1;
    struct packet_mreq promiscuous = {.mr_ifindex = device, .mr_type = PACKET_MR_PROMISC};
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = device};
    if (setsockopt(number, SOL_PACKET, 23 /* PACKET_IGNORE_OUTGOING */, &on, sizeof on) < 0 ||
        setsockopt(number, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on) < 0 ||
        setsockopt(number, SOL_PACKET, PACKET_AUXDATA, &on, sizeof on) < 0 ||
        setsockopt(number, SOL_SOCKET, 35 /* SO_TIMESTAMPNS */, &on, sizeof on) < 0 ||
        (setsockopt(number, SOL_SOCKET, 33 /* SO_RCVBUFFORCE */, &buffer_bytes, sizeof buffer_bytes) < 0 &&
         setsockopt(number, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof buffer_bytes) < 0) ||
        (setsockopt(number, SOL_SOCKET, CLINUX_SO_SNDBUFFORCE, &buffer_bytes, sizeof buffer_bytes) < 0 &&
         setsockopt(number, SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof buffer_bytes) < 0) ||
        setsockopt(number, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof promiscuous) < 0 ||
        bind(number, (struct sockaddr *)&address, sizeof address) < 0) {
        int error = errno;
        close(number);
        errno = error;
        return -1;
    }
    return number;
}

static inline void *clinux_close_here(void *descriptor) {
    close((int)(intptr_t)descriptor);
    return NULL;
}

/// Closes a packet socket without waiting for it: the kernel waits until no processor looks at the socket any more
/// (packet_release, net/packet/af_packet.c: synchronize_net), which takes 10 to 20 ms for each. So a thread of its own
/// does it, and those of many sockets wait together. From now on it receives nothing.
static inline void clinux_close_apart(int socket) {
    struct sock_filter nothing = {.code = BPF_RET | BPF_K, .k = 0};
    struct sock_fprog program = {.len = 1, .filter = &nothing};
    setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, 64 << 10);
    if (pthread_create(&thread, &attributes, clinux_close_here, (void *)(intptr_t)socket) != 0) close(socket);
    pthread_attr_destroy(&attributes);
}

/// Has the calling thread run as soon as it wakes, before all others but real-time ones (sched(7), SCHED_FIFO with the
/// lowest priority); where that is refused, with the largest share (nice(2), -20). 0, or -1 with errno.
static inline int clinux_run_promptly(void) {
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
    } attributes = {.size = sizeof attributes, .policy = 1 /* SCHED_FIFO */, .priority = 1};
    if (syscall(SYS_sched_setattr, 0, &attributes, 0) == 0) return 0;
    attributes.policy = 0;
    attributes.priority = 0;
    attributes.nice = -20;
    return (int)syscall(SYS_sched_setattr, 0, &attributes, 0);
}

/// Whether the device that a packet socket is bound to is there, be it down (packet(7): a device that is gone takes
/// its index out of the socket's address): 1 yes, 0 no, -1 with errno.
static inline int clinux_frame_socket_has_device(int socket) {
    struct sockaddr_ll address;
    socklen_t length = sizeof address;
    if (getsockname(socket, (struct sockaddr *)&address, &length) < 0) return -1;
    return address.sll_ifindex > 0;
}
