import LabModel
import LinuxSystem
import SystemPackage
import Testing

@testable import LabKit

@Suite("User namespaces of nodes: whether a lab has them")
struct NodeWallsTests {
    private static let old = NodeWalls.KernelVersion(6, 1)
    private static let new = NodeWalls.KernelVersion(6, 12)

    private func lack(
        _ yaml: String = "nodes: { a: {}, b: {} }", kernel: NodeWalls.KernelVersion? = new,
        maximum: Int? = 1000, isRoot: Bool = true, refusal: SystemError? = nil
    ) throws -> String? {
        let decoding = Lab.decode(
            yaml: "name: x\n\(yaml)", file: "lab.yaml", readFile: { _ in .missing })
        let lab = try #require(decoding.lab, "\(decoding.diagnostics)")
        return NodeWalls.lack(
            for: lab, kernel: kernel, maximum: maximum, isRoot: isRoot, attempt: { refusal })
    }

    @Test("a lab has them, whoever starts it, where the kernel makes one for each node")
    func has() throws {
        #expect(try lack() == nil)
        #expect(try lack(kernel: Self.old) == nil)
        #expect(try lack(kernel: nil, maximum: nil) == nil)
        #expect(try lack(isRoot: false) == nil)
    }

    @Test("none where there may be too few of them, or none can be made: that is told")
    func refused() throws {
        #expect(try #require(try lack(maximum: 0)).contains("user.max_user_namespaces is 0"))
        #expect(try lack(maximum: 2) != nil)
        #expect(try lack(maximum: 3) == nil)
        #expect(try lack(maximum: 2, isRoot: false) != nil)
        let refusal = SystemError("make a user namespace", .notPermitted)
        #expect(try lack(refusal: refusal) == refusal.description)
    }

    @Test("none for what the kernel has in its own user namespace only")
    func parameters() throws {
        func sysctl(_ name: String) -> String { "nodes: { a: { sysctls: { \(name): 1 } } }" }
        let routes = sysctl("net.ipv6.route.gc_thresh")
        #expect(try #require(try lack(routes)).contains("net.ipv6.route.gc_thresh, of node a"))
        #expect(try lack(routes, isRoot: false) == nil, "it is not there either way")
        #expect(try lack(sysctl("net.core.somaxconn"), kernel: Self.old) != nil)
        #expect(try lack(sysctl("net.core.somaxconn")) == nil)
        #expect(try lack(sysctl("net.ipv4.ip_forward"), kernel: Self.old) == nil)
    }

    @Test("none for ip_vs on a kernel that lets only the machine's root use it")
    func virtualServers() throws {
        let files = """
            nodes:
              a:
                files: { /etc/keepalived/keepalived.conf: { text: "virtual_server 10.0.0.1 80 {\\n}\\n" } }
                services: { keepalived: { kind: vrrp-agent } }
            """
        for yaml in ["needs: ip_vs\nnodes: { a: {} }", files] {
            #expect(try #require(try lack(yaml, kernel: Self.old)).contains("ip_vs"))
            #expect(try lack(yaml) == nil)
        }
    }

    @Test("uname(2): a release begins with the version")
    func releases() {
        #expect(NodeWalls.KernelVersion(release: "6.1.0-18-amd64") == Self.old)
        #expect(NodeWalls.KernelVersion(release: "6.12-rc1") == Self.new)
        #expect(NodeWalls.KernelVersion(release: "custom-6.1") == nil)
        #expect(Self.old < Self.new && NodeWalls.KernelVersion(5, 19) < Self.old)
    }
}
