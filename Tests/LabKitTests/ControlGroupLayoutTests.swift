import Testing

@testable import LabKit

@Suite("Where a machine has its control groups")
struct ControlGroupLayoutTests {
    private static let root = "25 1 253:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n"

    @Test("version 2 alone, as systemd mounts it today")
    func unified() {
        let layout = ControlGroupLayout(
            mounts: Self.root
                + "35 24 0:30 / /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw,nsdelegate\n",
            memberships: "0::/user.slice/user-0.slice/session-1.scope\n")
        #expect(layout.unified == "/sys/fs/cgroup")
        #expect(layout.ownUnified == "/sys/fs/cgroup/user.slice/user-0.slice/session-1.scope")
        #expect(layout.legacy.isEmpty)
    }

    @Test("both versions: controllers in the first, version 2 for the rest")
    func hybrid() {
        let layout = ControlGroupLayout(
            mounts: Self.root + """
                31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
                32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
                33 31 0:30 / /sys/fs/cgroup/cpuacct rw,relatime - cgroup cgroup rw,cpuacct
                34 31 0:31 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset
                35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
                39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
                40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
                41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw

                """, memberships: "8:pids:/\n4:memory:/jobs/7\n2:cpuacct:/x\n1:cpu:/\n0::/\n")
        #expect(layout.unified == "/sys/fs/cgroup/unified")
        #expect(
            layout.legacy == [
                .cpu: "/sys/fs/cgroup/cpu", .memory: "/sys/fs/cgroup/memory/jobs/7",
                .pids: "/sys/fs/cgroup/pids",
            ])
    }

    @Test("controllers that share a hierarchy, and one that version 2 has")
    func shared() {
        let layout = ControlGroupLayout(
            mounts: """
                32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:3 - cgroup cgroup rw,cpu,cpuacct
                41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
                """, memberships: "3:cpu,cpuacct:/a b\n0::/\n")
        #expect(layout.legacy == [.cpu: "/sys/fs/cgroup/cpu,cpuacct/a b"])
        #expect(layout.unified == "/sys/fs/cgroup/unified")
    }

    @Test("in a container, whose mounts begin where its groups do; and a folder with a space")
    func container() {
        let layout = ControlGroupLayout(
            mounts: """
                32 31 0:29 /docker/c1 /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu
                33 31 0:30 /docker/c1 /my\\040groups/memory ro - cgroup cgroup rw,memory
                34 31 0:31 /docker/c1 /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids
                """,
            memberships: "1:cpu:/docker/c1\n2:memory:/docker/c1/lab\n3:pids:/../other\n")
        #expect(
            layout.legacy == [
                .cpu: "/sys/fs/cgroup/cpu", .memory: "/my groups/memory/lab",
                .pids: "/sys/fs/cgroup/pids",
            ])
        #expect(layout.unified == nil)
    }

    @Test(
        "none at all, and lines that are none", arguments: ["", "\n", "1 2 3\n", "a - cgroup2\n"])
    func none(mounts: String) {
        let layout = ControlGroupLayout(mounts: mounts, memberships: "")
        #expect(layout.unified == nil && layout.legacy.isEmpty)
    }
}
