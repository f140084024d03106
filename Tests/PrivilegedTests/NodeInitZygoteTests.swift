import CLinux
import Foundation
import Glibc
import LinuxSystem
import NodeProtocol
import Testing

@testable import LabKit

extension NodeInitTests {
    @Suite("What nodes' first processes are copied from")
    struct ZygoteTests {
        private func zygote(_ loop: EventLoop) throws -> NodeZygote {
            try NodeZygote(program: NodeUnderTest.program, log: STDERR_FILENO, loop: loop)
        }

        private func copy(_ program: Program, of zygote: NodeZygote) throws -> Program.Started {
            try #require(zygote.start(program))
        }

        @Test(
            "each copy is a node with namespaces of its own, and outlives what it was copied from")
        func copies() throws {
            let zygote = try zygote(EventLoop())
            let nodes = try (0..<3).map { _ in
                let node = try NodeUnderTest(boots: false)
                try node.boot { try copy($0, of: zygote) }
                return node
            }
            zygote.close()
            let kinds = ["cgroup", "ipc", "mnt", "net", "pid", "uts"]
            for kind in kinds {
                let ids = try nodes.map {
                    try FileManager.default.destinationOfSymbolicLink(
                        atPath: "/proc/\($0.pid)/ns/\(kind)")
                }
                #expect(Set(ids).count == nodes.count, "\(kind): \(ids)")
            }
            for node in nodes {
                #expect(try node.shell("tr '\\0' ' ' < /proc/1/cmdline") == "node-init ")
                // Itself, the shell and ls: none that its original has had as well.
                let open = try node.shell("ls /proc/1/fd").split(separator: "\n")
                    .compactMap { Int($0) }.sorted()
                #expect(open.prefix(4) == [0, 1, 2, 3])
                #expect(open.count < 12, "\(open)")
                node.end()
            }
        }

        @Test("one that is gone makes none, and says so")
        func gone() throws {
            let zygote = try zygote(EventLoop())
            clinux_pidfd_send_signal(zygote.process.pidDescriptor.rawValue, SIGKILL)
            let node = try NodeUnderTest(boots: false)
            try node.boot { program in
                #expect(zygote.start(program) == nil)
                return try program.start()
            }
            #expect(try node.shell("hostname") == "alpha\n")
        }
    }
}
