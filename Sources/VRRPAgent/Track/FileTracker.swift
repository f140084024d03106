import CLinux
import Glibc
import KeepalivedConf
import LinuxSystem
import SystemPackage

/// The numbers in `track_file`s, told as soon as they change (inotify(7)).
///
/// Watched are the folder of the path that is written and, where links lead elsewhere, the folder
/// of the file itself: so a file written, replaced or removed, and a link turned round, are all
/// noticed. (keepalived watches the latter folder only.)
final class FileTracker {
    private struct Tracked {
        var definition: TrackFile
        var value = 0
        /// Which names in which watched folders concern it; none while its folder is gone.
        var names: [FileWatch.WatchID: Set<String>] = [:]
    }

    /// How often a folder that has vanished is looked for.
    static let retryInterval: Duration = .seconds(1)

    private let loop: EventLoop
    private let watch: FileWatch
    private let log: (LogLine) -> Void
    private let onValue: (_ name: String, _ value: Int) -> Void
    private var files: [Tracked] = []
    private var retry: EventLoop.TimerID?

    /// - Parameter onValue: told of a file's name and its new value, from the loop; the first
    ///   values are what ``add(_:)`` returns.
    /// - Throws: ``SystemError`` when the user has no inotify instances left.
    init(
        loop: EventLoop, log: @escaping (LogLine) -> Void,
        onValue: @escaping (_ name: String, _ value: Int) -> Void
    ) throws(SystemError) {
        self.loop = loop
        self.log = log
        self.onValue = onValue
        watch = try FileWatch()
        try loop.add(watch.descriptor.rawValue, .readable) { [unowned self] _ in takeEvents() }
    }

    deinit {
        loop.remove(watch.descriptor.rawValue)
        if let retry { loop.cancel(retry) }
    }

    /// Tracks a file.
    ///
    /// - Returns: its value, 0 for a file that is not there; nil when not even its folder is, and
    ///   the file is not tracked then, as the log says.
    func add(_ definition: TrackFile) -> Int? {
        var tracked = Tracked(definition: definition)
        guard watchFolders(of: &tracked) else {
            log(.init("Track file directory for \(definition.name) does not exist - removing"))
            return nil
        }
        tracked.value = read(tracked) ?? 0
        files.append(tracked)
        return tracked.value
    }

    /// Tracks a file no longer.
    func remove(_ name: String) { files.removeAll { $0.definition.name == name } }

    // MARK: Watches

    /// - Returns: whether the folder of the path is there.
    private func watchFolders(of tracked: inout Tracked) -> Bool {
        tracked.names = [:]
        let written = Self.split(tracked.definition.path)
        guard let id = try? watch.add(folder: written.folder) else { return false }
        tracked.names[id, default: []].insert(written.name)
        if let real = (try? FileSystem.resolve(tracked.definition.path)).map(Self.split),
            let id = try? watch.add(folder: real.folder)
        {
            tracked.names[id, default: []].insert(real.name)
        }
        return true
    }

    private static func split(_ path: String) -> (folder: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        let folder = slash == path.startIndex ? "/" : String(path[..<slash])
        return (folder, String(path[path.index(after: slash)...]))
    }

    private func takeEvents() {
        var concerned: Set<String> = []
        for event in watch.drain() {
            let those: [Tracked] =
                switch event {
                case .changed(let folder, let name):
                    files.filter { $0.names[folder]?.contains(name) ?? false }
                case .folderGone(let folder): files.filter { $0.names[folder] != nil }
                case .overrun: files
                }
            concerned.formUnion(those.map(\.definition.name))
        }
        update(concerned)
    }

    /// Watches and reads files anew, and tells the values that have changed.
    private func update(_ names: Set<String>) {
        // `onValue` may remove files, so each is looked for when it is its turn.
        for name in names.sorted() {
            guard let place = files.firstIndex(where: { $0.definition.name == name }) else {
                continue
            }
            _ = watchFolders(of: &files[place])
            guard let value = read(files[place]), value != files[place].value else { continue }
            files[place].value = value
            onValue(name, value)
        }
        guard retry == nil, files.contains(where: \.names.isEmpty) else { return }
        retry = loop.schedule(after: Self.retryInterval) { [unowned self] in
            retry = nil
            update(Set(files.filter(\.names.isEmpty).map(\.definition.name)))
        }
    }

    /// The file's value; 0 when it cannot be read, nil when it says nothing acceptable.
    private func read(_ tracked: Tracked) -> Int? {
        let path = tracked.definition.path
        // Not blocking, should somebody have put a FIFO there.
        let number = clinux_open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0)
        guard number >= 0 else { return 0 }
        let file = OwnedDescriptor(number)
        var buffer = [UInt8](repeating: 0, count: TrackedFileValue.longestText)
        let count = Glibc.read(file.rawValue, &buffer, buffer.count)
        guard count > 0 else { return 0 }
        let bytes = buffer.prefix(count)
        if let value = TrackedFileValue.parse(bytes) { return value }
        let text = String(decoding: bytes.prefix { $0 != 0x0a }, as: UTF8.self)
        log(.init("Invalid number \(text) read from \(path) - ignoring"))
        return nil
    }
}

extension FileTracker {
    /// Does what `init_file` says; nothing else makes or changes a tracked file.
    ///
    /// - Parameter isReload: a reload does not overwrite a file that is there.
    /// - Returns: whether the file is now as it should be; if not, why is logged.
    @discardableResult
    static func initialize(
        _ definition: TrackFile, isReload: Bool, log: (LogLine) -> Void
    ) -> Bool {
        guard let initialization = definition.initialization else { return true }
        if let attributes = try? FileSystem.attributes(definition.path) {
            guard initialization.overwrites else { return true }
            guard attributes.kind == .file else {
                log(
                    .init(
                        "Cannot initialise track file \(definition.name)"
                            + " - it is not a regular file"))
                return false
            }
            if isReload { return true }
        }
        do throws(SystemError) {
            // keepalived's mode under its umask.
            try FileSystem.write(
                Array("\(initialization.value)\n".utf8), to: definition.path, mode: 0o600)
            return true
        } catch {
            log(.init("Unable to initialise track file \(definition.name)"))
            return false
        }
    }
}
