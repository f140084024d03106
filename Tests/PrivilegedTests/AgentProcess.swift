import CLinux
import Glibc
import LinuxSystem
import NetworkTypes
import Testing

/// vrrp-agent, or keepalived in its place, in the foreground, in a folder of its own with its
/// configuration and log; killed with this value.
final class AgentProcess {
    /// What is run.
    enum Program: String, CaseIterable {
        case ours = "vrrp-agent"
        case keepalived

        /// Ours is the one beside the tests.
        fileprivate func path() throws -> String {
            guard self == .ours else { return "/usr/sbin/keepalived" }
            let bundle = try #require(CommandLine.arguments.first { $0.hasSuffix(".xctest") })
            let build = bundle.prefix(upTo: try #require(bundle.lastIndex(of: "/")))
            return "\(build)/vrrp-agent"
        }
    }

    /// Length of `Sat Nov 21 14:46:25 2026: `, with which lines begin where `-l` asks for it.
    static let stampLength = 26

    let program: Program
    let folder: String
    private(set) var pid: Int32
    private var hasEnded = false
    /// Where the last line that was waited for ended.
    private var readUpTo = 0

    /// - Parameters:
    ///   - configuration: `FOLDER` in it is replaced by the folder.
    ///   - options: what the program is given besides, and `environment` too.
    init(
        _ configuration: String, in namespace: borrowing NetworkNamespace, test: String,
        program: Program = .ours, options: [String] = [], environment: [String] = []
    ) throws {
        let folder = "/tmp/vrrp-agent-\(getpid())-\(test)"
        self.folder = folder
        self.program = program
        pid = 0
        try FileSystem.removeTree(folder)
        try FileSystem.makeFolders(folder)
        try configure(configuration)
        let log = OwnedDescriptor(try systemCall("make a log") { creat("\(folder)/log", 0o644) })
        let input = try OwnedDescriptor.null()
        let command = LinuxSystem.Program(
            path: try program.path(),
            arguments: [
                program.rawValue, "-nD", "-f", "\(folder)/keepalived.conf", "-p", "\(folder)/pid",
                "-r", "\(folder)/vrrp.pid",
            ] + options,
            environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "TMPDIR=\(folder)"] + environment,
            descriptors: [input.rawValue, log.rawValue, log.rawValue])
        pid = try namespace.run { try command.start().pid }
    }

    deinit {
        if !hasEnded {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
        try? FileSystem.removeTree(folder)
    }

    /// Writes the configuration, for the start or the next SIGHUP.
    func configure(_ text: String) throws {
        let parts = text.split(separator: "FOLDER", omittingEmptySubsequences: false)
        try FileSystem.write(
            Array((parts.joined(separator: folder) + "\n").utf8), to: "\(folder)/keepalived.conf")
    }

    /// - Parameter toChild: where there is one, for VRRP: keepalived's parent passes on later.
    func signal(_ number: Int32, toChild: Bool = false) {
        let text = toChild ? (try? FileSystem.readText("\(folder)/vrrp.pid")) ?? "" : ""
        kill(text.split(separator: "\n").first.flatMap { Int32($0) } ?? pid, number)
    }

    /// Its wait status, awaited.
    @discardableResult
    func end(_ signal: Int32 = SIGTERM) throws -> Int32 {
        kill(pid, signal)
        var status: Int32 = 0
        try systemCall("wait for vrrp-agent") { waitpid(pid, &status, 0) }
        hasEnded = true
        return status
    }

    var log: String { (try? FileSystem.readText("\(folder)/log")) ?? "" }

    /// The log since the last line that was waited for.
    var news: String {
        String(decoding: Array(log.utf8).dropFirst(readUpTo), as: UTF8.self)
    }

    /// Waits for lines in the log, after those waited for before; for 30 s at most.
    func awaitLine(_ lines: String) throws {
        let wanted = Array((lines + "\n").utf8)
        let deadline = MonotonicClock.now + .seconds(30)
        while true {
            let text = Array(log.utf8)
            if let end = Self.end(of: wanted, in: text, from: readUpTo) {
                readUpTo = end
                return
            }
            try #require(
                MonotonicClock.now < deadline, "\(lines) is not in the log's rest:\n\(news)")
            usleep(2000)
        }
    }

    private static func end(of wanted: [UInt8], in text: [UInt8], from start: Int) -> Int? {
        guard text.count >= start + wanted.count else { return nil }
        for place in start...(text.count - wanted.count)
        where text[place..<place + wanted.count].elementsEqual(wanted) {
            return place + wanted.count
        }
        return nil
    }

    /// Its own memory, resident, in kilobytes.
    func residentKilobytes() throws -> Int {
        let status = try FileSystem.readText("/proc/\(pid)/status")
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
        return try #require(Int(line.split(separator: " ").dropLast().last ?? ""))
    }
}
