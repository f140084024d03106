import LinuxSystem

/// Kernel parameters (sysctl(8)) of the node.
enum KernelParameter {
    /// The file of a parameter, by sysctl's rule: dots separate, and a slash stands for a dot in a
    /// name (`net.ipv4.conf.eth0/100.forwarding`), or the other way round where the first of both
    /// is a slash.
    static func path(of name: String) -> String {
        let name = name.drop { $0 == "/" }
        if name.first(where: { $0 == "." || $0 == "/" }) == "/" { return "/proc/sys/\(name)" }
        return "/proc/sys/"
            + String(name.map { $0 == "." ? "/" : $0 == "/" ? "." : $0 })
    }

    /// Whether a parameter's file is of the network, all of which is the node's own.
    static func isNetwork(_ path: String) -> Bool {
        path.hasPrefix("/proc/sys/net/") && !path.split(separator: "/").contains("..")
    }

    /// Whether a parameter has that value, however the kernel spaces it; false of one that is not
    /// there or can only be written.
    static func has(_ name: String, _ value: String) -> Bool {
        guard let current = try? FileSystem.readText(path(of: name)) else { return false }
        return current.split(whereSeparator: \.isWhitespace)
            == value.split(whereSeparator: \.isWhitespace)
    }

    /// Parameters of the IPC namespace (ipc/ipc_sysctl.c, ipc/mq_sysctl.c).
    private static let namespaced: Set<String> = [
        "shmmax", "shmall", "shmmni", "shm_rmid_forced", "shm_next_id", "msgmax", "msgmni",
        "msgmnb", "msg_next_id", "sem", "sem_next_id", "auto_msgmni",
    ]

    /// Whether the parameter with that file is the node's own, though what is around it under
    /// /proc/sys is the host's and therefore read-only.
    private static func isAmongTheHosts(_ path: String) -> Bool {
        let parts = path.split(separator: "/").dropFirst(2)
        return switch parts.first {
        case "kernel": parts.count == 2 && namespaced.contains(String(parts.last ?? ""))
        case "fs": parts.count == 3 && parts.dropFirst().first == "mqueue"
        default: false
        }
    }

    /// Sets a parameter.
    ///
    /// - Throws: ``SystemError``: `write /proc/sys/net/ipv4/x: no such file or directory`; EROFS
    ///   for one that belongs to the host, not the node.
    static func set(_ name: String, to value: String) throws(SystemError) {
        let path = path(of: name)
        if isAmongTheHosts(path), FileSystem.exists(path) {
            // A mount of the file alone, which stays, so that the node's programs can write it too.
            try Mount.bind(path, on: path, isRecursive: false)
            try Mount.makeWritable(path)
        }
        try FileSystem.writeParameter(value, to: path)
    }
}
