// floor NODES [bare|node]: the least a lab of NODES machines on one bridge can cost.
//
// Talks to the kernel and to nobody else. Each node is one paused process in namespaces of its
// own; its eth0 is one end of a veth pair whose other end is a port of the bridge br0, and has an
// address. `bare` nodes have a network, PID, UTS and mount namespace with their own /proc and
// /sys; `node` ones also an IPC and a cgroup namespace, a control group, and the root that labctl
// gives a machine: a disk of its own (a tmpfs), the host's folders read-only or under a private
// overlay, devices of its own, programs and tools laid over the host's, and what /proc shows of the
// host read-only.
//
// Prints {"up_ms": …, "down_ms": …, "gone_ms": …}: until all is up; until all is told to go and
// every process is reaped; until the last device is gone. Run it in private network, mount and
// PID namespaces, where nothing can be left behind.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { NODES_MAX = 10000, REQUEST_MAX = 1024, GONE_LIMIT_MS = 60000 };

struct node {
    pid_t pid;
    int network_namespace;
};

// The folder of cgroup v2, where each machine gets a control group; -1: none.
static int groups = -1;

static void fail(const char *format, ...) {
    int code = errno;
    va_list arguments;
    va_start(arguments, format);
    fputs("floor: ", stderr);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, ": %s\n", strerror(code));
    _exit(1);
}

#include "floor_root.h"

static double now_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

// ---- rtnetlink ----

// One request under construction.
struct request {
    _Alignas(NLMSG_ALIGNTO) char bytes[REQUEST_MAX];
};

static struct nlmsghdr *header_of(struct request *request) {
    return (struct nlmsghdr *)request->bytes;
}

static void *append(struct request *request, const void *bytes, size_t length) {
    struct nlmsghdr *header = header_of(request);
    size_t start = NLMSG_ALIGN(header->nlmsg_len);
    if (start + NLMSG_ALIGN(length) > REQUEST_MAX) {
        errno = EMSGSIZE;
        fail("a request");
    }
    memset(request->bytes + start, 0, NLMSG_ALIGN(length));
    if (length > 0) memcpy(request->bytes + start, bytes, length);
    header->nlmsg_len = (uint32_t)(start + length);
    return request->bytes + start;
}

static void begin(struct request *request, int type, int flags, const void *body, size_t length) {
    *header_of(request) = (struct nlmsghdr){
        .nlmsg_len = NLMSG_HDRLEN,
        .nlmsg_type = (uint16_t)type,
        .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags),
    };
    append(request, body, length);
}

static struct rtattr *attribute(struct request *request, int type, const void *data, size_t length) {
    struct rtattr head = {
        .rta_len = (unsigned short)RTA_LENGTH(length), .rta_type = (unsigned short)type};
    struct rtattr *attribute = append(request, &head, sizeof head);
    append(request, data, length);
    return attribute;
}

static void end_nest(struct request *request, struct rtattr *nest) {
    nest->rta_len = (unsigned short)(
        request->bytes + header_of(request)->nlmsg_len - (char *)nest);
}

static int open_rtnetlink(void) {
    int socket_ = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (socket_ < 0) fail("open rtnetlink");
    return socket_;
}

// Sends a request and waits for the kernel's word on it.
static void perform(int rtnetlink, struct request *request, const char *what) {
    if (send(rtnetlink, request->bytes, header_of(request)->nlmsg_len, 0) < 0) fail("%s", what);
    _Alignas(NLMSG_ALIGNTO) char reply[4096];
    if (recv(rtnetlink, reply, sizeof reply, 0) < (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr)))
        fail("%s", what);
    const struct nlmsghdr *header = (struct nlmsghdr *)reply;
    const struct nlmsgerr *error = NLMSG_DATA(header);
    if (header->nlmsg_type != NLMSG_ERROR || error->error != 0) {
        errno = -error->error;
        fail("%s", what);
    }
}

static void create_bridge(int rtnetlink) {
    struct request request;
    struct ifinfomsg link = {.ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    begin(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link, sizeof link);
    attribute(&request, IFLA_IFNAME, "br0", sizeof "br0");
    struct rtattr *info = attribute(&request, IFLA_LINKINFO, NULL, 0);
    attribute(&request, IFLA_INFO_KIND, "bridge", strlen("bridge"));
    end_nest(&request, info);
    perform(rtnetlink, &request, "create br0");
}

// Both ends at once: one a port of the bridge and up, the other where it will stay.
static void create_link(int rtnetlink, int number, unsigned bridge, int network_namespace) {
    struct request request;
    struct ifinfomsg link = {.ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    begin(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link, sizeof link);
    char name[IFNAMSIZ];
    snprintf(name, sizeof name, "port%d", number);
    attribute(&request, IFLA_IFNAME, name, strlen(name) + 1);
    attribute(&request, IFLA_MASTER, &bridge, sizeof bridge);
    struct rtattr *info = attribute(&request, IFLA_LINKINFO, NULL, 0);
    attribute(&request, IFLA_INFO_KIND, "veth", strlen("veth"));
    struct rtattr *data = attribute(&request, IFLA_INFO_DATA, NULL, 0);
    struct ifinfomsg peer_link = {0};
    struct rtattr *peer = attribute(&request, VETH_INFO_PEER, &peer_link, sizeof peer_link);
    attribute(&request, IFLA_IFNAME, "eth0", sizeof "eth0");
    attribute(&request, IFLA_NET_NS_FD, &network_namespace, sizeof network_namespace);
    end_nest(&request, peer);
    end_nest(&request, data);
    end_nest(&request, info);
    perform(rtnetlink, &request, name);
}

static void set_up(int rtnetlink, unsigned index) {
    struct request request;
    struct ifinfomsg link = {.ifi_index = (int)index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    begin(&request, RTM_NEWLINK, 0, &link, sizeof link);
    perform(rtnetlink, &request, "set a device up");
}

// In the calling thread's network namespace: lo and eth0 up, eth0 with the node's address.
static void configure(int number) {
    int rtnetlink = open_rtnetlink();
    unsigned index = if_nametoindex("eth0");
    if (index == 0) fail("find eth0 of node %d", number);
    set_up(rtnetlink, if_nametoindex("lo"));
    struct request request;
    struct ifaddrmsg address = {.ifa_family = AF_INET, .ifa_prefixlen = 8, .ifa_index = index};
    uint32_t octets = htonl((10u << 24) + (uint32_t)number + 1);
    begin(&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &address, sizeof address);
    attribute(&request, IFA_LOCAL, &octets, sizeof octets);
    attribute(&request, IFA_ADDRESS, &octets, sizeof octets);
    perform(rtnetlink, &request, "add an address");
    set_up(rtnetlink, index);
    close(rtnetlink);
}

// ---- nodes ----

static void live(int number, bool is_complete, int ready) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    char name[32];
    int length = snprintf(name, sizeof name, "node%d", number);
    if (sethostname(name, (size_t)length) < 0) fail("name node %d", number);
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) fail("make mounts private");
    if (is_complete) {
        // Now that it is in the control group that it is to see as the root.
        if (unshare(CLONE_NEWCGROUP) < 0) fail("make a cgroup namespace");
        enter_root();
    } else {
        mount_at("proc", "/proc", "proc", 0, NULL);
        mount_at("sysfs", "/sys", "sysfs", 0, NULL);
    }
    if (write(ready, "", 1) != 1) fail("say that node %d is ready", number);
    for (;;) pause();
}

// Makes the node's control group; -1 where there are none.
static int make_group(int number) {
    char path[64];
    if (groups < 0) return -1;
    snprintf(path, sizeof path, "floor.%d", number);
    if (mkdirat(groups, path, 0755) < 0) fail("make the control group %s", path);
    int group = openat(groups, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (group < 0) fail("open the control group %s", path);
    return group;
}

static void remove_group(int number) {
    char path[64];
    if (groups < 0) return;
    snprintf(path, sizeof path, "floor.%d", number);
    if (unlinkat(groups, path, AT_REMOVEDIR) < 0) fail("remove the control group %s", path);
}

static struct node start(int number, bool is_complete, int ready) {
    // struct clone_args of <linux/sched.h>: flags first, then the signal, last the group.
    uint64_t arguments[11] = {CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWNS};
    arguments[4] = SIGCHLD;
    int group = -1;
    if (is_complete) {
        arguments[0] |= CLONE_NEWIPC;
        group = make_group(number);
        if (group >= 0) arguments[0] |= 0x200000000 /* CLONE_INTO_CGROUP */;
        if (group >= 0) arguments[10] = (uint64_t)group;
    }
    pid_t pid = (pid_t)syscall(435 /* clone3 */, arguments, sizeof arguments);
    if (group >= 0 && pid != 0) close(group);
    if (pid < 0) fail("start node %d", number);
    if (pid == 0) live(number, is_complete, ready);
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/ns/net", pid);
    struct node node = {.pid = pid, .network_namespace = open(path, O_RDONLY | O_CLOEXEC)};
    if (node.network_namespace < 0) fail("open %s", path);
    return node;
}

// Where cgroup v2 is mounted (proc_pid_mountinfo(5)).
static void find_groups(void) {
    FILE *mounts = fopen("/proc/self/mountinfo", "re");
    if (mounts == NULL) fail("read the mounts");
    char line[4096], place[4096];
    while (groups < 0 && fgets(line, sizeof line, mounts) != NULL)
        if (strstr(line, " - cgroup2 ") != NULL &&
            sscanf(line, "%*s %*s %*s %*s %4095s", place) == 1)
            groups = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fclose(mounts);
}

static bool any_device_left(void) {
    struct if_nameindex *devices = if_nameindex();
    if (devices == NULL) fail("list devices");
    bool found = false;
    for (struct if_nameindex *device = devices; device->if_index != 0; device++)
        if (strncmp(device->if_name, "port", 4) == 0) found = true;
    if_freenameindex(devices);
    return found;
}

static void delete_bridge(int rtnetlink, unsigned bridge) {
    struct request request;
    struct ifinfomsg link = {.ifi_index = (int)bridge};
    begin(&request, RTM_DELLINK, 0, &link, sizeof link);
    perform(rtnetlink, &request, "delete br0");
}

int main(int count, char **arguments) {
    int nodes = count > 1 ? atoi(arguments[1]) : 0;
    const char *kind = count > 2 ? arguments[2] : "bare";
    bool is_complete = strcmp(kind, "node") == 0;
    if (nodes < 1 || nodes > NODES_MAX || (!is_complete && strcmp(kind, "bare") != 0)) {
        fprintf(stderr, "usage: floor NODES [bare|node]\n");
        return 2;
    }
    struct node *all = calloc((size_t)nodes, sizeof *all);
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    int ready[2];
    if (all == NULL || home < 0 || pipe2(ready, O_CLOEXEC) < 0) fail("prepare");
    if (is_complete) find_groups();

    double start_ms = now_ms();
    int rtnetlink = open_rtnetlink();
    create_bridge(rtnetlink);
    unsigned bridge = if_nametoindex("br0");
    // The nodes mount while their links are made.
    for (int i = 0; i < nodes; i++) all[i] = start(i, is_complete, ready[1]);
    for (int i = 0; i < nodes; i++) create_link(rtnetlink, i, bridge, all[i].network_namespace);
    for (int i = 0; i < nodes; i++) {
        if (setns(all[i].network_namespace, CLONE_NEWNET) < 0) fail("enter node %d", i);
        configure(i);
    }
    if (setns(home, CLONE_NEWNET) < 0) fail("come back");
    close(ready[1]);
    char byte;
    for (int i = 0; i < nodes; i++)
        if (read(ready[0], &byte, 1) != 1) fail("wait for the nodes");
    double up_ms = now_ms();

    for (int i = 0; i < nodes; i++) {
        close(all[i].network_namespace);
        kill(all[i].pid, SIGKILL);
    }
    for (int i = 0; i < nodes; i++) waitpid(all[i].pid, NULL, 0);
    for (int i = 0; i < nodes && is_complete; i++) remove_group(i);
    delete_bridge(rtnetlink, bridge);
    double down_ms = now_ms();
    // The kernel takes the devices of a namespace away after its last process, in its own time.
    while (any_device_left()) {
        if (now_ms() - down_ms > GONE_LIMIT_MS) {
            errno = ETIMEDOUT;
            fail("wait for the devices to go");
        }
        nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
    }
    double gone_ms = now_ms();
    printf("{\"up_ms\": %.2f, \"down_ms\": %.2f, \"gone_ms\": %.2f}\n", up_ms - start_ms,
           down_ms - up_ms, gone_ms - up_ms);
    free(all);
    return 0;
}
