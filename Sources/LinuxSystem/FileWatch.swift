import CLinux
import Glibc
import SystemPackage

/// Changes of files in folders, as events (inotify(7)).
public final class FileWatch {
    /// What happened.
    public enum Event: Equatable, Sendable {
        /// The file of that name was written and closed, moved, made or removed.
        case changed(folder: WatchID, name: String)
        /// The folder is gone, and with it its watch.
        case folderGone(WatchID)
        /// Events were lost: everything may have changed.
        case overrun
    }

    /// Names a watched folder.
    public struct WatchID: Hashable, Sendable { fileprivate let number: CInt }

    /// The descriptor to watch for reading.
    public let descriptor: SharedDescriptor

    /// A set that watches nothing yet.
    ///
    /// - Throws: ``SystemError`` when the user has no instances left
    ///   (fs.inotify.max_user_instances).
    public init() throws(SystemError) {
        descriptor = SharedDescriptor(
            OwnedDescriptor(
                try systemCall("make an inotify instance") {
                    inotify_init1(CLINUX_IN_CLOEXEC | CLINUX_IN_NONBLOCK)
                }))
    }

    /// Watches a folder; the same watch again when it is watched already.
    ///
    /// - Parameter includesWrites: tells of every write to a file, too, without its being closed.
    /// - Throws: ``SystemError``: `watch folder /x: no such file or directory`.
    public func add(
        folder path: String, includesWrites: Bool = false
    ) throws(SystemError) -> WatchID {
        let number = descriptor.rawValue
        let mask =
            IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVE | IN_ONLYDIR
            | (includesWrites ? IN_MODIFY : 0)
        return WatchID(
            number: try systemCall("watch folder \(path)") {
                inotify_add_watch(number, path, UInt32(mask))
            })
    }

    /// Watches a folder no longer.
    public func remove(_ watch: WatchID) { inotify_rm_watch(descriptor.rawValue, watch.number) }

    /// What has happened since the last call.
    public func drain() -> [Event] {
        var events: [Event] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = read(descriptor.rawValue, &buffer, buffer.count)
            guard count > 0 else { return events }
            buffer.withUnsafeBytes { bytes in
                var offset = 0
                let header = MemoryLayout<inotify_event>.size
                while offset + header <= count {
                    let event = bytes.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
                    let name = bytes[(offset + header)..<(offset + header + Int(event.len))]
                    offset += header + Int(event.len)
                    Self.interpret(event, name: name).map { events.append($0) }
                }
            }
        }
    }

    private static func interpret(
        _ event: inotify_event, name: Slice<UnsafeRawBufferPointer>
    ) -> Event? {
        let watch = WatchID(number: event.wd)
        if event.mask & UInt32(IN_Q_OVERFLOW) != 0 { return .overrun }
        if event.mask & UInt32(IN_IGNORED) != 0 { return .folderGone(watch) }
        guard event.len > 0 else { return nil }
        return .changed(
            folder: watch, name: String(decoding: name.prefix { $0 != 0 }, as: UTF8.self))
    }
}
