import CLinux
import Glibc
import LabModel
import LinuxSystem
import NetworkTypes
import NodeProtocol
import SystemPackage

/// What the services of a lab print: read from their pipes, stamped, kept in one file a service.
final class ServiceOutput {
    /// A longer line is cut into several.
    static let maximumLineBytes = 8 << 10
    /// A file that has grown past this becomes `.1`, and what was in that is lost.
    static let maximumFileBytes = 8 << 20
    /// What is taken of a pipe at a time, so that a service that prints without end does not keep
    /// the supervisor from its other work: what is left comes with the loop's next round.
    static let maximumBytesPerLook = 16 << 10
    /// How often a look goes on where everything printed so far is wanted.
    private static let maximumLooks = 16

    private final class Stream {
        let node: String
        let service: String
        let isError: Bool
        let pid: Int32?
        let pipe: SharedDescriptor
        var partial: [UInt8] = []
        /// Whether lines of it are being told just now.
        var isTelling = false
        init(
            node: String, service: String, isError: Bool, pid: Int32?, pipe: SharedDescriptor
        ) {
            self.node = node
            self.service = service
            self.isError = isError
            self.pid = pid
            self.pipe = pipe
        }
    }

    private final class File {
        let path: String
        var descriptor: SharedDescriptor?
        var sizeBytes = 0
        init(path: String) { self.path = path }
    }

    private let loop: EventLoop
    private let folder: String
    private var files: [String: File] = [:]
    /// Those whose pipes are open.
    private var streams: [Stream] = []
    private var listeners: [Int: (LogLine) -> Void] = [:]
    private var nextListener = 0
    private var buffer = [UInt8](repeating: 0, count: maximumBytesPerLook)

    /// Keeps output below `folder`.
    init(loop: EventLoop, folder: String) {
        self.loop = loop
        self.folder = folder
    }

    /// The folder with what a node's services print, made now if it is not there.
    ///
    /// - Throws: ``SystemError`` for a full disk.
    func folder(of node: String) throws(SystemError) -> String {
        let folder = "\(folder)/\(node)"
        try FileSystem.makeFolders(folder)
        return folder
    }

    /// Reads a service's pipe from now until its last writer closes it.
    ///
    /// - Parameter pid: the process that was given the pipe, as its node numbers it.
    func attach(
        _ pipe: SharedDescriptor, node: String, service: String, isError: Bool, pid: Int32?
    ) {
        let stream = Stream(
            node: node, service: service, isError: isError, pid: pid, pipe: pipe)
        _ = fcntl(pipe.rawValue, F_SETFL, O_NONBLOCK)
        do {
            try loop.add(pipe.rawValue, .readable) { [self] _ in look(at: stream) }
            streams.append(stream)
        } catch {
            StandardError.print("output of \(node)/\(service) is lost: \(error)")
        }
    }

    /// Reads what a service has printed up to now. The report of its end can come before the loop
    /// gets to its pipes.
    func catchUp(node: String, service: String) {
        for stream in streams where stream.node == node && stream.service == service {
            for _ in 0..<Self.maximumLooks where !look(at: stream) { break }
        }
    }

    /// Calls `listener` with every line from now on.
    func addListener(_ listener: @escaping (LogLine) -> Void) -> Int {
        nextListener += 1
        listeners[nextListener] = listener
        return nextListener
    }

    func removeListener(_ number: Int) { listeners[number] = nil }

    /// The last lines that a service has printed, oldest first.
    func lines(node: String, service: String) -> [LogLine] {
        Self.lines(in: folder, node: node, service: service)
    }

    /// The same, of output that was kept below `folder`.
    static func lines(in folder: String, node: String, service: String) -> [LogLine] {
        let path = path(in: folder, node: node, service: service)
        return [path + ".1", path].flatMap { path -> [LogLine] in
            guard let contents = try? FileSystem.read(path) else { return [] }
            return contents.split(separator: UInt8(ascii: "\n")).compactMap {
                LogLine(node: node, service: service, stored: $0)
            }
        }
    }

    private static func path(in folder: String, node: String, service: String) -> String {
        "\(folder)/\(node)/\(service).log"
    }

    /// Takes some of what a service has printed; whether there may be more.
    @discardableResult
    private func look(at stream: Stream) -> Bool {
        guard !stream.isTelling else { return false }
        let count = read(stream.pipe.rawValue, &buffer, buffer.count)
        if count > 0 {
            take(buffer.prefix(count), of: stream)
            return count == buffer.count
        }
        if count < 0, errno == EINTR || errno == EAGAIN { return errno == EINTR }
        if !stream.partial.isEmpty { emit([stream.partial[...]], of: stream) }
        loop.remove(stream.pipe.rawValue)
        stream.pipe.close()
        streams.removeAll { $0 === stream }
        return false
    }

    private func take(_ bytes: ArraySlice<UInt8>, of stream: Stream) {
        var lines: [ArraySlice<UInt8>] = []
        var rest = bytes
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            lines.append(stream.partial.isEmpty ? rest[..<end] : stream.partial + rest[..<end])
            stream.partial = []
            rest = rest[(end + 1)...]
        }
        stream.partial.append(contentsOf: rest)
        while stream.partial.count >= Self.maximumLineBytes {
            lines.append(stream.partial[..<Self.maximumLineBytes])
            stream.partial.removeFirst(Self.maximumLineBytes)
        }
        if !lines.isEmpty { emit(lines, of: stream) }
    }

    private func emit(_ texts: [ArraySlice<UInt8>], of stream: Stream) {
        let now = MonotonicClock.now
        let lines = texts.map {
            LogLine(
                node: stream.node, service: stream.service, time: now, isError: stream.isError,
                pid: stream.pid, text: String(decoding: $0, as: UTF8.self))
        }
        // Whoever is told of a line may ask for what else there is, which comes after these.
        stream.isTelling = true
        add(lines)
        stream.isTelling = false
    }

    /// Adds a line that the service has not printed: what systemd itself writes into a unit's
    /// journal.
    func note(_ text: String, node: String, service: String) {
        // What it has printed itself came before.
        catchUp(node: node, service: service)
        add([
            LogLine(
                node: node, service: service, time: MonotonicClock.now, isError: true, pid: nil,
                text: "\(service).service: \(text)")
        ])
    }

    private func add(_ lines: [LogLine]) {
        guard let first = lines.first else { return }
        store(lines, of: Target(node: first.node, service: first.service))
        for line in lines {
            for number in listeners.keys.sorted() { listeners[number]?(line) }
        }
    }

    private func store(_ lines: [LogLine], of target: Target) {
        let path = Self.path(in: folder, node: target.node, service: target.service ?? "")
        let file = files[path] ?? File(path: path)
        files[path] = file
        do {
            if file.sizeBytes > Self.maximumFileBytes {
                try systemCall("rename \(path)") { rename(path, path + ".1") }
                file.descriptor = nil
                file.sizeBytes = 0
            }
            if file.descriptor == nil {
                try FileSystem.makeFolders("\(folder)/\(target.node)")
                file.descriptor = try FileSystem.openForAppending(path, followsLinks: false)
            }
            guard let descriptor = file.descriptor else { return }
            let bytes = lines.flatMap(\.stored)
            try FileSystem.writeAll(bytes[...], to: descriptor.rawValue, name: path)
            file.sizeBytes += bytes.count
        } catch {
            // A full disk costs the lines, not the lab; whoever follows sees them.
            StandardError.print(
                "what \(target) prints is not kept: \(error)")
        }
    }
}

extension LogLine {
    /// The line as it is kept in its file.
    var stored: [UInt8] {
        StoredLine(nanoseconds: time.nanoseconds, isError: isError, pid: pid, text: text).bytes
    }

    /// Reads a kept line; nil for one that was cut off.
    init?(node: String, service: String, stored: ArraySlice<UInt8>) {
        guard let line = StoredLine(stored) else { return nil }
        self.init(
            node: node, service: service, time: MonotonicInstant(nanoseconds: line.nanoseconds),
            isError: line.isError, pid: line.pid, text: line.text)
    }
}
