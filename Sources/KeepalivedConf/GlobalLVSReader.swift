import NetworkTypes

// What `global_defs` says about the kernel's part of LVS: its values are checked as keepalived
// checks them.
extension GlobalReader {
    /// The daemon that tells other machines of connections, as far as it is written.
    struct SyncDaemonDraft {
        var interface: String
        var instance: String?
    }

    /// Thirty-one days, the longest that the kernel remembers a connection.
    private static let maximumTimeoutSeconds = 31 * 86_400
    /// `IP_VS_IFNAME_MAXLEN`, with the 0 at the end.
    private static let maximumInterfaceNameBytes = 16

    /// Checks `lvs_timeouts [tcp SECONDS] [tcpfin SECONDS] [udp SECONDS]`.
    mutating func checkTimeouts(_ statement: Statement) {
        let words = statement.arguments
        guard words.count > 1 else {
            adjusted(statement.position, "lvs_timeouts requires at least one option")
            return
        }
        var index = 0
        while index < words.count {
            let word = words[index]
            index += 1
            guard ["tcp", "tcpfin", "udp"].contains(word.text) else {
                adjusted(word.position, "Unknown option \(word.text) specified for lvs_timeouts")
                continue
            }
            guard index < words.count else {
                adjusted(
                    word.position, "No value specified for lvs_timeout \(word.text) - ignoring")
                continue
            }
            let value = words[index]
            index += 1
            _ = integer(
                value, in: 0...Self.maximumTimeoutSeconds,
                else: "Invalid lvs_timeout \(word.text) (\(value.text)) - ignoring")
        }
    }

    /// Checks `lvs_sync_daemon INTERFACE [INSTANCE] [inst NAME] [id NUMBER] ...`.
    mutating func readSyncDaemon(_ statement: Statement) {
        if let first = syncDaemon {
            adjusted(
                statement.position,
                "lvs_sync_daemon has already been specified as \(first.interface)"
                    + " \(first.instance ?? "") - ignoring")
            return
        }
        guard let interface = statement.arguments.first else {
            adjusted(statement.position, "lvs_sync_daemon requires interface")
            return
        }
        guard interface.text.utf8.count < Self.maximumInterfaceNameBytes else {
            adjusted(
                interface.position,
                "lvs_sync_daemon interface name '\(interface.text)' too long - ignoring")
            return
        }
        syncDaemon = SyncDaemonDraft(interface: interface.text)
        var index = 1
        while index < statement.arguments.count {
            index += readSyncOption(at: index, of: statement)
        }
    }

    /// Reads an option and its value; how many words that are.
    private mutating func readSyncOption(at index: Int, of statement: Statement) -> Int {
        let word = statement.arguments[index]
        let value = statement.arguments.dropFirst(index + 1).first
        switch word.text {
        case "inst":
            if let first = syncDaemon?.instance {
                adjusted(
                    word.position,
                    "lvs_sync_daemon vrrp instance has already been specified as \(first) -"
                        + " ignoring")
            } else if let value {
                syncDaemon?.instance = value.text
            } else {
                refused(
                    word.position,
                    "*** Configuration line starting `lvs_sync_daemon` is missing a parameter after"
                        + " keyword `inst` at word position \(index + 3)")
            }
        case "id", "maxlen", "port", "ttl", "group":
            guard let value else {
                let end = word.text == "id" ? ", defaulting to vrid" : " - ignoring"
                adjusted(
                    word.position, "No value specified for lvs_sync_daemon \(word.text)\(end)")
                return 1
            }
            check(value, ofSyncOption: word.text)
        // As it was written once: INSTANCE, then NUMBER.
        case _ where index == 1:
            syncDaemon?.instance = word.text
            return 1
        case _ where index == 2:
            let message = "Invalid syncid (\(word.text)) - defaulting to vrid"
            if integer(word, in: 0...255, else: message) != nil {
                adjusted(
                    word.position, "Please use keyword \"id\" before lvs_sync_daemon SYNCID")
            }
            return 1
        default:
            adjusted(word.position, "Unknown option \(word.text) specified for lvs_sync_daemon")
            return 1
        }
        return 2
    }

    private mutating func check(_ value: Word, ofSyncOption option: String) {
        let message = "Invalid lvs_sync_daemon \(option) (\(value.text)) - ignoring"
        switch option {
        case "id":
            _ = integer(
                value, in: 0...255, else: "Invalid syncid (\(value.text)) - defaulting to vrid")
        // What a frame of IPv4 has room for after the headers of IP and UDP.
        case "maxlen": _ = integer(value, in: 1...65_507, else: message)
        case "port": _ = integer(value, in: 1...65_535, else: message)
        case "ttl": _ = integer(value, in: 1...255, else: message)
        default:
            guard let group = IPAddress(value.text) else {
                adjusted(value.position, message)
                return
            }
            if !group.isMulticast {
                adjusted(
                    value.position,
                    "lvs_sync_daemon group address \(value.text) is not multicast - ignoring")
            }
        }
    }
}
