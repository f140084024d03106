import CLinux
import Glibc
import LinuxSystem
import NetworkTypes
import Testing

@testable import VRRPAgent

@Suite("The kernel's parameters are changed, and put back")
struct KernelParametersTests {
    /// Files as below /proc/sys, removed with this value.
    private final class Files {
        let folder: String

        init(_ values: [String: Int]) throws {
            folder = "/tmp/vrrp-agent-parameters-\(getpid())-\(ContinuousClock.now)"
                .filter { $0 != " " }
            for (parameter, value) in values {
                let path = "\(folder)/\(parameter)"
                try FileSystem.makeFolders(
                    String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]))
                try FileSystem.write(Array("\(value)\n".utf8), to: path)
            }
        }

        deinit { try? FileSystem.removeTree(folder) }

        subscript(_ parameter: String) -> Int? {
            get { parameters.value(parameter) }
        }

        lazy var parameters = KernelParameters(
            folder: folder, log: Log(isStamped: false, isDetailed: false))
    }

    private let ignore = KernelParameters.ipv4("eth0", "arp_ignore")

    @Test("what two need is restored when the second needs it no more")
    func counted() throws {
        let files = try Files([ignore: 0])
        let parameters = files.parameters
        #expect(parameters.borrow(ignore, as: 1) == 0)
        #expect(parameters.borrow(ignore, as: 1) == nil)
        parameters.release(ignore)
        #expect(files[ignore] == 1)
        parameters.release(ignore)
        #expect(files[ignore] == 0)
    }

    @Test("what was so already stays so")
    func unchanged() throws {
        let files = try Files([ignore: 1])
        files.parameters.borrow(ignore, as: 1)
        files.parameters.release(ignore)
        files.parameters.restoreAll()
        #expect(files[ignore] == 1)
    }

    @Test("what somebody has changed meanwhile is not put back")
    func changedByOthers() throws {
        let files = try Files([ignore: 0])
        files.parameters.borrow(ignore, as: 1)
        try FileSystem.write(Array("2\n".utf8), to: "\(files.folder)/\(ignore)")
        files.parameters.restoreAll()
        #expect(files[ignore] == 2)
    }

    @Test("the reverse path filter of all moves to those that are less strict, and back")
    func reversePathFilter() throws {
        func filter(_ name: String) -> String { KernelParameters.ipv4(name, "rp_filter") }
        let before = ["all": 1, "default": 0, "eth0": 0, "eth1": 2, "lo": 0]
        let files = try Files(
            Dictionary(uniqueKeysWithValues: before.map { (filter($0.key), $0.value) }))
        let names = Set(["eth0", "eth1", "lo"].compactMap { InterfaceName($0) })
        files.parameters.moveReversePathFilter(names)
        let moved = ["all": 0, "default": 1, "eth0": 1, "eth1": 2, "lo": 0]
        for (name, value) in moved { #expect(files[filter(name)] == value, "\(name)") }
        // A second virtual interface finds all as it must be.
        files.parameters.moveReversePathFilter(names)
        for (name, value) in moved { #expect(files[filter(name)] == value, "\(name)") }
        files.parameters.restoreAll()
        for (name, value) in before { #expect(files[filter(name)] == value, "\(name)") }
    }
}
