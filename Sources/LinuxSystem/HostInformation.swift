import CLinux
import Glibc

/// What programs print about where and when they run.
public enum HostInformation {
    /// The kernel's name and release: `Linux 6.1.0-18-amd64`.
    public static var kernel: String {
        var names = utsname()
        uname(&names)
        return "\(text(&names.sysname)) \(text(&names.release))"
    }

    /// How many processors are online, at least 1.
    public static var processors: Int { max(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 1) }

    /// The wall clock's time where the machine is, as ctime(3) writes it: `Sat Nov 21 12:56:56
    /// 2026`.
    public static var localTime: String { localTime(seconds: Int64(time(nil))) }

    /// A time where the machine is, as ctime(3) writes it.
    ///
    /// - Parameter seconds: since 1970.
    public static func localTime(seconds: Int64) -> String {
        var now = time_t(seconds)
        var parts = tm()
        localtime_r(&now, &parts)
        var buffer = [CChar](repeating: 0, count: 64)
        let length = strftime(&buffer, buffer.count, "%a %b %e %H:%M:%S %Y", &parts)
        return String(decoding: buffer.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The text in one of uname(2)'s fixed arrays, which Swift shows as tuples.
    private static func text<Field>(_ field: inout Field) -> String {
        withUnsafeBytes(of: &field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
