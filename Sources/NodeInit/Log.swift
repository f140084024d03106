import CLinux
import Glibc
import LinuxSystem

/// Lines to the supervisor's log (descriptor 2), for what belongs to no service.
enum Log {
    static func write(_ line: String) {
        do {
            try FileSystem.writeAll(Array("node-init: \(line)\n".utf8)[...], to: 2, name: "the log")
        } catch {
            // Without a log there is nowhere left to say so.
        }
    }
}
