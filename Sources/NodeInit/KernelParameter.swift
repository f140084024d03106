import LinuxSystem

/// Kernel parameters (sysctl(8)) of the node.
enum KernelParameter {
    /// The file of a parameter, by sysctl's rule: dots separate, and a slash stands for a dot in a
    /// name (`net.ipv4.conf.eth0/100.forwarding`), or the other way round where the first of both
    /// is a slash.
    static func path(of name: String) -> String {
        if name.first(where: { $0 == "." || $0 == "/" }) == "/" { return "/proc/sys/\(name)" }
        return "/proc/sys/"
            + String(name.map { $0 == "." ? "/" : $0 == "/" ? "." : $0 })
    }

    /// Sets a parameter.
    ///
    /// - Throws: ``SystemError``: `write /proc/sys/net/ipv4/x: no such file or directory`; EROFS
    ///   for one that belongs to the host, not the node.
    static func set(_ name: String, to value: String) throws(SystemError) {
        try FileSystem.writeParameter(value, to: path(of: name))
    }
}
