import CLinux
import Glibc

extension HostInformation {
    /// The host's name, as uname(2) has it.
    public static var hostName: String {
        var names = utsname()
        uname(&names)
        return withUnsafeBytes(of: &names.nodename) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    /// The wall clock's time as mails are dated (RFC 5322 §3.3): `Sat, 21 Nov 2026 16:39:03 +0000`.
    ///
    /// - Parameter seconds: since 1970; nil for now.
    public static func mailDate(_ seconds: Int? = nil) -> String {
        var moment = seconds ?? time(nil)
        var parts = tm()
        localtime_r(&moment, &parts)
        var buffer = [CChar](repeating: 0, count: 80)
        // The program never calls setlocale(3), so the names are the English ones.
        let length = strftime(&buffer, buffer.count, "%a, %d %b %Y %H:%M:%S %z", &parts)
        return String(decoding: buffer.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
