import CLinux
import Glibc
import SystemPackage

/// How long this process was ready to run and did not get a CPU (/proc/self/schedstat, whose
/// second number it is).
public final class SchedulingDelay {
    private let file: SharedDescriptor

    /// Opens the counter; nil on a kernel without it (CONFIG_SCHED_INFO).
    public init?() {
        let path = "/proc/self/schedstat"
        let descriptor = try? systemCall("open \(path)") {
            clinux_open(path, O_RDONLY | O_CLOEXEC, 0)
        }
        guard let descriptor else { return nil }
        file = SharedDescriptor(OwnedDescriptor(descriptor))
    }

    /// The sum since the process began; nil when it cannot be read.
    public var total: Duration? {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 96) { buffer -> Duration? in
            let count = pread(file.rawValue, buffer.baseAddress, buffer.count, 0)
            guard count > 0 else { return nil }
            var fields = buffer[..<count].split(separator: UInt8(ascii: " ")).dropFirst()
            guard let field = fields.popFirst() else { return nil }
            var nanoseconds: Int64 = 0
            for byte in field {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
                nanoseconds = nanoseconds * 10 + Int64(byte - UInt8(ascii: "0"))
            }
            return .nanoseconds(nanoseconds)
        }
    }
}
