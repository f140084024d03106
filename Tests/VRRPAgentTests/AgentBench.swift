import Glibc
import LinuxSystem
import NetworkTypes
import Testing

@testable import VRRPAgent

/// An event loop, a folder and a log for tests with real processes; no root needed.
final class AgentBench {
    let loop: EventLoop
    let folder: String
    var lines: [String] = []
    /// Lines that `--log-detail` shows only.
    var details: [String] = []

    private static let environment = ["PATH=/usr/bin:/bin"]

    init() throws {
        SignalDescriptor.blockAll()
        loop = try EventLoop()
        var template = Array("/tmp/vrrp-agent-test-XXXXXX".utf8CString)
        folder = try #require(mkdtemp(&template).map { String(cString: $0) })
    }

    deinit { try? FileSystem.removeTree(folder) }

    func launcher() throws -> CommandLauncher {
        try CommandLauncher(loop: loop, environment: Self.environment)
    }

    func log(_ line: LogLine) {
        if line.isDetail { details.append(line.text) } else { lines.append(line.text) }
    }

    /// Runs the loop until something holds, of which no event need tell.
    func run(
        until condition: () -> Bool, within limit: Duration = .seconds(20),
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        var isLate = false
        let timer = loop.schedule(after: limit) { isLate = true }
        while !condition(), !isLate {
            let look = loop.schedule(after: .milliseconds(5)) {}
            try loop.runOnce()
            loop.cancel(look)
        }
        loop.cancel(timer)
        #expect(condition(), "not within \(limit)", sourceLocation: sourceLocation)
    }

    /// Writes an executable file into the folder.
    func script(_ name: String, _ text: String, mode: UInt16 = 0o755) throws -> String {
        let path = "\(folder)/\(name)"
        try FileSystem.write(Array(text.utf8), to: path, mode: mode)
        return path
    }

    func text(_ name: String) -> String {
        (try? FileSystem.readText("\(folder)/\(name)")) ?? ""
    }

    /// How many descriptors this process has.
    static func descriptorCount() throws -> Int { try FileSystem.list("/proc/self/fd").count }

    /// The children of this process that run, or ran, a program of that name.
    static func children(_ command: String) throws -> [ProcessEntry] {
        try ProcessEntry.all().filter { $0.parent == getpid() && $0.command == command }
    }
}
