// floor NODES [bare|node]: the least a lab of NODES machines on one bridge can cost.
//
// Talks to the kernel and to nobody else. Each node is one paused process in namespaces of its
// own; its eth0 is one end of a veth pair whose other end is a port of the bridge br0, and has an
// address. `bare` nodes have a network, PID, UTS and mount namespace with their own /proc and
// /sys; `node` ones also an IPC and a cgroup namespace and the root that labctl gives a machine:
// a tmpfs with the host's folders read-only or under a private overlay.
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
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { NODES_MAX = 10000, REQUEST_MAX = 1024, GONE_LIMIT_MS = 60000 };

struct node {
    pid_t pid;
    int network_namespace;
};

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

static void mount_at(const char *source, const char *target, const char *type, unsigned long flags,
                     const char *options) {
    if (mkdir(target, 0755) < 0 && errno != EEXIST) fail("make %s", target);
    if (mount(source, target, type, flags, options) < 0) fail("mount %s", target);
}

static void bind_read_only(const char *source, const char *target) {
    mount_at(source, target, NULL, MS_BIND, NULL);
    if (mount(NULL, target, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) < 0)
        fail("make %s read-only", target);
}

// The host's top-level entries that a machine shares, and those of which it has its own version.
static const char *const shared[] = {"usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"};
static const char *const private[] = {"etc", "var", "root", "home", "srv", "opt"};
enum { SHARED = sizeof shared / sizeof *shared, PRIVATE = sizeof private / sizeof *private };

static void share(const char *name) {
    char source[32], target[32], destination[256];
    snprintf(source, sizeof source, "/%s", name);
    snprintf(target, sizeof target, "%s", name);
    struct stat status;
    if (lstat(source, &status) < 0) return;
    if (S_ISLNK(status.st_mode)) {
        ssize_t length = readlink(source, destination, sizeof destination - 1);
        if (length < 0) fail("read %s", source);
        destination[length] = 0;
        if (symlink(destination, target) < 0) fail("link %s", target);
    } else {
        bind_read_only(source, target);
    }
}

// A folder of the host with a writable layer over it that is this node's own.
static void layer(const char *name) {
    char source[32], upper[64], work[64], options[256];
    snprintf(source, sizeof source, "/%s", name);
    if (access(source, F_OK) < 0) return;
    snprintf(upper, sizeof upper, ".layers/%s", name);
    snprintf(work, sizeof work, ".layers/%s.work", name);
    if (mkdir(upper, 0755) < 0 || mkdir(work, 0755) < 0) fail("make %s", upper);
    snprintf(options, sizeof options, "lowerdir=%s,upperdir=%s,workdir=%s", source, upper, work);
    mount_at("overlay", name, "overlay", 0, options);
}

// The root of a machine as labctl builds it.
static void enter_root(void) {
    // Somewhere to stand: any folder that is there; only this mount namespace sees the tmpfs.
    if (mount("tmpfs", "/mnt", "tmpfs", 0, "mode=755") < 0) fail("mount the root");
    if (chdir("/mnt") < 0) fail("enter the root");
    if (mkdir(".layers", 0700) < 0) fail("make .layers");
    for (int i = 0; i < SHARED; i++) share(shared[i]);
    for (int i = 0; i < PRIVATE; i++) layer(private[i]);
    mount_at("tmpfs", "run", "tmpfs", 0, "mode=755");
    mount_at("tmpfs", "tmp", "tmpfs", 0, "mode=1777");
    mount_at("/dev", "dev", NULL, MS_BIND | MS_REC, NULL);
    mount_at("proc", "proc", "proc", 0, NULL);
    mount_at("sysfs", "sys", "sysfs", MS_RDONLY, NULL);
    if (syscall(SYS_pivot_root, ".", ".") < 0) fail("pivot_root");
    if (umount2(".", MNT_DETACH) < 0) fail("leave the old root");
}

static void live(int number, bool is_complete, int ready) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    char name[32];
    int length = snprintf(name, sizeof name, "node%d", number);
    if (sethostname(name, (size_t)length) < 0) fail("name node %d", number);
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) fail("make mounts private");
    if (is_complete) {
        enter_root();
    } else {
        mount_at("proc", "/proc", "proc", 0, NULL);
        mount_at("sysfs", "/sys", "sysfs", 0, NULL);
    }
    if (write(ready, "", 1) != 1) fail("say that node %d is ready", number);
    for (;;) pause();
}

static struct node start(int number, bool is_complete, int ready) {
    unsigned long flags = CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWNS | SIGCHLD;
    if (is_complete) flags |= CLONE_NEWIPC | CLONE_NEWCGROUP;
    pid_t pid = (pid_t)syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
    if (pid < 0) fail("start node %d", number);
    if (pid == 0) live(number, is_complete, ready);
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/ns/net", pid);
    struct node node = {.pid = pid, .network_namespace = open(path, O_RDONLY | O_CLOEXEC)};
    if (node.network_namespace < 0) fail("open %s", path);
    return node;
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
