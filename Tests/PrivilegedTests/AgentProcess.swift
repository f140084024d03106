import CLinux
import Glibc
import LinuxSystem
import NetworkTypes
import Testing

/// vrrp-agent in the foreground, in a folder of its own with its configuration and log; killed with
/// this value.
final class AgentProcess {
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
        options: [String] = [], environment: [String] = []
    ) throws {
        let folder = "/tmp/vrrp-agent-\(getpid())-\(test)"
        self.folder = folder
        pid = 0
        try FileSystem.removeTree(folder)
        try FileSystem.makeFolders(folder)
        try configure(configuration)
        let bundle = try #require(CommandLine.arguments.first { $0.hasSuffix(".xctest") })
        let build = bundle.prefix(upTo: try #require(bundle.lastIndex(of: "/")))
        let log = OwnedDescriptor(try systemCall("make a log") { creat("\(folder)/log", 0o644) })
        let input = try OwnedDescriptor.null()
        let program = Program(
            path: "\(build)/vrrp-agent",
            arguments: [
                "vrrp-agent", "-nD", "-f", "\(folder)/keepalived.conf", "-p", "\(folder)/pid",
                "-r", "\(folder)/vrrp.pid",
            ] + options,
            environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "TMPDIR=\(folder)"] + environment,
            descriptors: [input.rawValue, log.rawValue, log.rawValue])
        pid = try namespace.run { try program.start().pid }
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

    func signal(_ number: Int32) { kill(pid, number) }

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
