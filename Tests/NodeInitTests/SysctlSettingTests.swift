import LinuxSystem
import Testing

@testable import NodeInit

@Suite("sysctl.conf and sysctl.d in a node")
struct SysctlSettingTests {
    @Test("sysctl.d(5): assignments, comments, hyphens, names that patterns leave out")
    func syntax() {
        let text = """
            # a comment
              ; another

            net.ipv4.ip_nonlocal_bind = 1
            net/ipv4/tcp_rmem=4096 87380\t6291456
            -net.ipv4.no_such = a = b
            -net.ipv4.conf.eth0.rp_filter
            nonsense
            """
        #expect(
            SysctlSetting.settings(in: text) == [
                SysctlSetting(name: "net.ipv4.ip_nonlocal_bind", value: "1"),
                SysctlSetting(name: "net/ipv4/tcp_rmem", value: "4096 87380\t6291456"),
                SysctlSetting(name: "net.ipv4.no_such", value: "a = b", mayFail: true),
                SysctlSetting(name: "net.ipv4.conf.eth0.rp_filter", value: nil, mayFail: true),
                SysctlSetting(name: "nonsense", value: nil),
            ])
    }

    private func resolve(_ text: String) -> [SysctlSetting.Resolution] {
        SysctlSetting.resolve(SysctlSetting.settings(in: text)) { pattern in
            ["all", "eth0", "eth1"].map {
                pattern.replacing("*", with: $0, maxReplacements: 1)
            }
        }
    }

    @Test("what is not the network's is the host's, by whatever path: never written")
    func hosts() {
        #expect(
            resolve("kernel.printk = 1\nnet/../kernel/printk = 1\n-vm.swappiness=1\nfoo") == [
                .refuse("kernel.printk: not the node's own"),
                .refuse("net/../kernel/printk: not the node's own"),
                .refuse("foo: not an assignment"),
            ])
        #expect(resolve("net = 1") == [.refuse("net: not the node's own")])
    }

    @Test("in order, a dot in a name as a slash")
    func order() {
        #expect(
            resolve("net.ipv4.conf.eth0/5.forwarding = 1\n-/net/ipv4/ip_forward=0") == [
                .write("1", to: "/proc/sys/net/ipv4/conf/eth0.5/forwarding", mayFail: false),
                .write("0", to: "/proc/sys/net/ipv4/ip_forward", mayFail: true),
            ])
    }

    @Test("a pattern is every file that matches, but those that are named")
    func patterns() {
        let folder = "/proc/sys/net/ipv4/conf"
        #expect(
            resolve(
                """
                net.ipv4.conf.eth0.rp_filter = 2
                net.ipv4.conf.*.rp_filter = 1
                -net.ipv4.conf.all.rp_filter
                """) == [
                    .write("2", to: "\(folder)/eth0/rp_filter", mayFail: false),
                    .write("1", to: "\(folder)/eth1/rp_filter", mayFail: false),
                ])
    }

    @Test("a parameter that is as wanted is told, however it is spaced")
    func current() throws {
        let value = try FileSystem.readText("/proc/sys/net/ipv4/ip_local_port_range")
        let words = value.split(whereSeparator: \.isWhitespace).joined(separator: "  ")
        #expect(KernelParameter.has("net.ipv4.ip_local_port_range", words))
        #expect(!KernelParameter.has("net.ipv4.ip_local_port_range", words + " 1"))
        #expect(!KernelParameter.has("net.ipv4.no_such", ""))
    }
}
