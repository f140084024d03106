#pragma once
// Raw IPv6 sockets: addresses as numbers, and ancillary data, whose macros Swift does not see.
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>

/// An IPv6 address as two numbers, the first octet highest.
struct clinux_ipv6_address {
    uint64_t high, low;
};
/// What came with a packet beside its payload, or goes with it.
struct clinux_ipv6_ancillary {
    struct clinux_ipv6_address source, destination;
    int32_t interface_index;  ///< Received: where it came in. Sent: where it goes out; 0: the route's.
    int32_t hop_limit;        ///< -1: not told; the kernel's default.
};
static inline struct clinux_ipv6_address clinux_ipv6_numbers(const struct in6_addr *address) {
    struct clinux_ipv6_address numbers = {0, 0};
    for (int i = 0; i < 8; i++) {
        numbers.high = numbers.high << 8 | address->s6_addr[i];
        numbers.low = numbers.low << 8 | address->s6_addr[i + 8];
    }
    return numbers;
}
static inline struct sockaddr_in6 clinux_ipv6_socket_address(struct clinux_ipv6_address address, int32_t scope) {
    struct sockaddr_in6 socket_address = {.sin6_family = AF_INET6, .sin6_scope_id = (uint32_t)scope};
    for (int i = 0; i < 8; i++) {
        socket_address.sin6_addr.s6_addr[i] = (uint8_t)(address.high >> (56 - 8 * i));
        socket_address.sin6_addr.s6_addr[i + 8] = (uint8_t)(address.low >> (56 - 8 * i));
    }
    return socket_address;
}
/// bind(2) to an IPv6 address.
static inline int clinux_bind_ipv6(int socket, struct clinux_ipv6_address address, int32_t scope) {
    struct sockaddr_in6 local = clinux_ipv6_socket_address(address, scope);
    return bind(socket, (struct sockaddr *)&local, sizeof local);
}
/// Joins a group on a device (IPV6_ADD_MEMBERSHIP).
static inline int clinux_join_ipv6(int socket, struct clinux_ipv6_address group, int32_t interface_index) {
    struct ipv6_mreq membership = {
        .ipv6mr_multiaddr = clinux_ipv6_socket_address(group, 0).sin6_addr,
        .ipv6mr_interface = (unsigned)interface_index};
    return setsockopt(socket, IPPROTO_IPV6, 20 /* IPV6_ADD_MEMBERSHIP */, &membership, sizeof membership);
}
/// recvmsg(2) with source, destination and hop limit (IPV6_RECVPKTINFO, IPV6_RECVHOPLIMIT).
static inline ssize_t clinux_receive_ipv6(
    int socket, void *bytes, size_t length, int flags, struct clinux_ipv6_ancillary *ancillary) {
    struct iovec vector = {.iov_base = bytes, .iov_len = length};
    char control[128];
    struct sockaddr_in6 sender;
    struct msghdr message = {
        .msg_name = &sender, .msg_namelen = sizeof sender, .msg_iov = &vector, .msg_iovlen = 1,
        .msg_control = control, .msg_controllen = sizeof control};
    memset(ancillary, 0, sizeof *ancillary);
    ancillary->hop_limit = -1;
    ssize_t received = recvmsg(socket, &message, flags);
    if (received < 0) return received;
    ancillary->source = clinux_ipv6_numbers(&sender.sin6_addr);
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != IPPROTO_IPV6) continue;
        if (header->cmsg_type == 50 /* IPV6_PKTINFO */) {
            // struct in6_pktinfo, which only _GNU_SOURCE shows: the address, then the index.
            struct in6_addr destination;
            memcpy(&destination, CMSG_DATA(header), sizeof destination);
            ancillary->destination = clinux_ipv6_numbers(&destination);
            memcpy(&ancillary->interface_index, CMSG_DATA(header) + sizeof destination, sizeof(int32_t));
        }
        if (header->cmsg_type == 52 /* IPV6_HOPLIMIT */)
            memcpy(&ancillary->hop_limit, CMSG_DATA(header), sizeof(int32_t));
    }
    return received;
}
/// sendmsg(2) from a source address by a device, with a hop limit (IPV6_PKTINFO, IPV6_HOPLIMIT).
static inline ssize_t clinux_send_ipv6(
    int socket, const void *bytes, size_t length, int flags, const struct clinux_ipv6_ancillary *ancillary) {
    const size_t information = sizeof(struct in6_addr) + sizeof(int32_t);
    char control[CMSG_SPACE(sizeof(struct in6_addr) + sizeof(int32_t)) + CMSG_SPACE(sizeof(int32_t))];
    struct iovec vector = {.iov_base = (void *)bytes, .iov_len = length};
    struct sockaddr_in6 target =
        clinux_ipv6_socket_address(ancillary->destination, ancillary->interface_index);
    struct sockaddr_in6 source = clinux_ipv6_socket_address(ancillary->source, 0);
    struct msghdr message = {
        .msg_name = &target, .msg_namelen = sizeof target, .msg_iov = &vector, .msg_iovlen = 1,
        .msg_control = control, .msg_controllen = sizeof control};
    memset(control, 0, sizeof control);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = IPPROTO_IPV6;
    header->cmsg_type = 50 /* IPV6_PKTINFO */;
    header->cmsg_len = CMSG_LEN(information);
    memcpy(CMSG_DATA(header), &source.sin6_addr, sizeof source.sin6_addr);
    memcpy(CMSG_DATA(header) + sizeof source.sin6_addr, &ancillary->interface_index, sizeof(int32_t));
    if (ancillary->hop_limit >= 0) {
        header = CMSG_NXTHDR(&message, header);
        header->cmsg_level = IPPROTO_IPV6;
        header->cmsg_type = 52 /* IPV6_HOPLIMIT */;
        header->cmsg_len = CMSG_LEN(sizeof(int32_t));
        memcpy(CMSG_DATA(header), &ancillary->hop_limit, sizeof(int32_t));
    } else {
        message.msg_controllen = CMSG_SPACE(information);
    }
    return sendmsg(socket, &message, flags);
}
