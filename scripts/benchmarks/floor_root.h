// The root of a machine as labctl builds it; a part of floor.c.
#pragma once

static void mount_at(const char *source, const char *target, const char *type, unsigned long flags,
                     const char *options) {
    if (mkdir(target, 0755) < 0 && errno != EEXIST) fail("make %s", target);
    if (mount(source, target, type, flags, options) < 0) fail("mount %s", target);
}

// A mount and all below it, as mount_setattr(2) does it at once.
static void make_read_only(const char *target) {
    struct { uint64_t set, clear, propagation, user_namespace; } attributes = {1, 0, 0, 0};
    if (syscall(442 /* mount_setattr */, AT_FDCWD, target, AT_RECURSIVE, &attributes,
                sizeof attributes) < 0)
        fail("make %s read-only", target);
}

static void make_writable(const char *target) {
    if (mount(NULL, target, NULL, MS_BIND | MS_REMOUNT, NULL) < 0) fail("make %s writable", target);
}

static void make_folder(const char *path) {
    if (mkdir(path, 0755) < 0) fail("make %s", path);
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
    if (lstat(source, &status) < 0) return;  // Not every host has all of them.
    if (S_ISLNK(status.st_mode)) {
        ssize_t length = readlink(source, destination, sizeof destination - 1);
        if (length < 0) fail("read %s", source);
        destination[length] = 0;
        if (symlink(destination, target) < 0) fail("link %s", target);
    } else {
        mount_at(source, target, NULL, MS_BIND, NULL);
    }
}

// Folders of the host with a writable layer over them that is this node's own: one layer for all.
static void layer(void) {
    make_folder("../upper");
    make_folder("../work");
    mount_at("overlay", "../merged", "overlay", 0, "lowerdir=/,upperdir=../upper,workdir=../work");
    for (int i = 0; i < PRIVATE; i++) {
        char source[32], merged[64];
        snprintf(source, sizeof source, "/%s", private[i]);
        snprintf(merged, sizeof merged, "../merged/%s", private[i]);
        if (access(source, F_OK) < 0) continue;  // Not every host has all of them.
        mount_at(merged, private[i], NULL, MS_BIND, NULL);
    }
}

static void make_devices(void) {
    static const struct { const char *name; unsigned major, minor; } devices[] = {
        {"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9},
        {"tty", 5, 0}, {"net/tun", 10, 200}};
    static const char *const links[][2] = {{"ptmx", "pts/ptmx"}, {"fd", "/proc/self/fd"},
                                           {"stdin", "fd/0"}, {"stdout", "fd/1"},
                                           {"stderr", "fd/2"}};
    mount_at("dev", "dev", "tmpfs", MS_NOSUID, "mode=755,size=64k");
    make_folder("dev/net");
    char path[64];
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        snprintf(path, sizeof path, "dev/%s", devices[i].name);
        if (mknod(path, S_IFCHR | 0666, makedev(devices[i].major, devices[i].minor)) < 0)
            fail("make %s", path);
    }
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        snprintf(path, sizeof path, "dev/%s", links[i][0]);
        if (symlink(links[i][1], path) < 0) fail("make %s", path);
    }
    mount_at("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
             "newinstance,ptmxmode=0666,mode=0620,gid=5");
    mount_at("shm", "dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777");
}

// Programs that are laid into the node, and a link to each of them in a folder over the host's.
enum { PROGRAMS = 4, TOOLS = 12 };

static void lay_programs(void) {
    char path[64];
    make_folder("run/programs");
    make_folder("run/covers");
    mount_at("run/programs", "run/programs", NULL, MS_BIND, NULL);
    for (int i = 0; i < PROGRAMS; i++) {
        snprintf(path, sizeof path, "run/programs/program%d", i);
        int file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0755);
        if (file < 0) fail("make %s", path);
        close(file);
        if (mount("/usr/bin/true", path, NULL, MS_BIND, NULL) < 0) fail("bind %s", path);
    }
    for (int i = 0; i < TOOLS; i++) {
        snprintf(path, sizeof path, "run/covers/tool%d", i);
        if (symlink("/run/programs/program0", path) < 0) fail("make %s", path);
    }
    make_read_only("run/programs");
}

// What of the host's kernel shows in the node is not to be written to, but for the network's.
static void protect_parameters(void) {
    mount_at("/proc/sys", "/proc/sys", NULL, MS_BIND, NULL);
    make_read_only("/proc/sys");
    mount_at("/proc/sys/net", "/proc/sys/net", NULL, MS_BIND, NULL);
    make_writable("/proc/sys/net");
}

// The root of a machine as labctl builds it.
static void enter_root(void) {
    // Somewhere to stand: any folder that is there; only this mount namespace sees the disk.
    if (mount("tmpfs", "/mnt", "tmpfs", 0, "mode=755") < 0) fail("mount the disk");
    make_folder("/mnt/root");
    if (mount("/mnt/root", "/mnt/root", NULL, MS_BIND, NULL) < 0) fail("mount the root");
    if (chdir("/mnt/root") < 0) fail("enter the root");
    for (int i = 0; i < SHARED; i++) share(shared[i]);
    make_read_only(".");
    make_writable(".");
    layer();
    mount_at("tmpfs", "run", "tmpfs", 0, "mode=755");
    mount_at("tmpfs", "tmp", "tmpfs", 0, "mode=1777");
    make_devices();
    lay_programs();
    mount_at("proc", "proc", "proc", 0, NULL);
    mount_at("sysfs", "sys", "sysfs", MS_RDONLY, NULL);
    // A kernel may have no control groups; then no node has.
    if (mount("cgroup2", "sys/fs/cgroup", "cgroup2", MS_RDONLY, NULL) < 0 && errno != ENODEV &&
        errno != ENOENT)
        fail("mount the control groups");
    if (syscall(SYS_pivot_root, ".", ".") < 0) fail("pivot_root");
    if (umount2(".", MNT_DETACH) < 0) fail("leave the old root");
    mount_at("overlay", "/usr/bin", "overlay", 0, "lowerdir=/run/covers:/usr/bin");
    mount_at("overlay", "/usr/sbin", "overlay", 0, "lowerdir=/run/covers:/usr/sbin");
    protect_parameters();
}
