import NetworkTypes

// The addresses of an instance: all are of the family of the first, whichever keyword has it.
extension InstanceReader {
    /// Reads a statement about addresses; false when it is about something else.
    mutating func readAddresses(_ inner: Statement) -> Bool {
        switch inner.name {
        case "virtual_ipaddress": for entry in inner.entries { readVirtualAddress(entry) }
        case "virtual_ipaddress_excluded": for entry in inner.entries { readExcluded(entry) }
        case "mcast_src_ip", "unicast_src_ip":
            if inner.name == "unicast_src_ip" { draft.unicastPosition = inner.position }
            readSource(inner.value)
        case "mcast_dst_ip": readMulticastGroup(inner.value)
        default: return false
        }
        return true
    }

    private mutating func readVirtualAddress(_ entry: Statement.Entry) {
        var reader = VirtualAddressReader(entry)
        let address = reader.read()
        diagnostics += reader.diagnostics
        guard let address else { return }
        let family = address.address.address.family
        guard draft.family ?? family == family else {
            lost(
                entry.position,
                "\(tag): address family must match VRRP instance [\(entry.words[0].text)] -"
                    + " ignoring",
                detail: "the address is lost; an instance for each family, or"
                    + " virtual_ipaddress_excluded", isDisplaced: entry.isDisplaced)
            return
        }
        draft.family = family
        draft.virtualAddresses.append(address)
    }

    private mutating func readExcluded(_ entry: Statement.Entry) {
        var reader = VirtualAddressReader(entry)
        if let address = reader.read() { draft.excludedAddresses.append(address) }
        diagnostics += reader.diagnostics
    }

    private mutating func readSource(_ word: Word) {
        let start = "Configuration error: VRRP instance[\(draft.name)]"
        guard let address = hostAddress(word.text) else {
            adjusted(
                word.position, "\(start) malformed src address[\(word.text)]. Skipping...")
            return
        }
        guard draft.family ?? address.family == address.family else {
            adjusted(
                word.position,
                "\(start) and src address[\(word.text)] MUST be of the same family !!!"
                    + " Skipping...")
            draft.sourceAddress = nil
            return
        }
        draft.family = address.family
        draft.sourceAddress = address
    }

    private mutating func readMulticastGroup(_ word: Word) {
        guard let address = hostAddress(word.text) else {
            adjusted(
                word.position, "\(tag) malformed mcast dest address \(word.text). Skipping...")
            return
        }
        draft.multicastGroup = nil
        guard draft.family ?? address.family == address.family else {
            adjusted(
                word.position,
                "\(tag) mcast dest address \(word.text) MUST match VRRP instance family."
                    + " Skipping...")
            return
        }
        draft.family = address.family
        let fits: Bool
        switch address {
        case .v4(let address): fits = address.isMulticast
        case .v6(let address): fits = address.high >> 48 & 0xff0f == 0xff02
        }
        guard fits else {
            adjusted(
                word.position,
                "\(tag) mcast_dst_ip \(word.text) not\(address.family == .v6 ? " link-local" : "")"
                    + " multicast. Skipping...")
            return
        }
        draft.multicastGroup = address
        draft.multicastGroupPosition = word.position
    }

    // MARK: Unicast

    /// Reads a statement about unicast peers; false when it is about something else.
    mutating func readUnicast(_ inner: Statement) -> Bool {
        switch inner.name {
        case "unicast_peer":
            draft.unicastPosition = inner.position
            for entry in inner.entries { readPeer(entry) }
        case "unicast_ttl":
            let value = inner.value
            let message = "\(tag): TTL '\(value.text)' not valid - must be between 0 & 255"
            guard let number = integer(value, in: 0...255, isStrict: true, else: message) else {
                return true
            }
            draft.unicastTimeToLive = UInt8(number)
            draft.unicastTimeToLivePosition = value.position
        case "check_unicast_src":
            draft.unicastPosition = inner.position
            draft.checksUnicastSource = true
        case "unicast_fault_no_peer":
            draft.unicastPosition = inner.position
            draft.faultsWithoutPeer = true
        case "old_unicast_checksum":
            draft.unicastPosition = inner.position
            guard let mode = inner.arguments.first else {
                draft.unicastChecksum = .old
                return true
            }
            if mode.text == "never" {
                draft.unicastChecksum = .neverOld
            } else {
                adjusted(
                    mode.position,
                    "\(tag) Unknown old_unicast_chksum mode \(mode.text) - ignoring")
            }
        default: return false
        }
        return true
    }

    private mutating func readPeer(_ entry: Statement.Entry) {
        let word = entry.words[0]
        let start = "Configuration error: VRRP instance[\(draft.name)]"
        guard let address = hostAddress(word.text) else {
            adjusted(
                word.position,
                "\(start) malformed unicast peer address[\(word.text)]. Skipping...")
            return
        }
        guard draft.family ?? address.family == address.family else {
            adjusted(
                word.position,
                "\(start) and unicast peer address[\(word.text)] MUST be of the same family !!!"
                    + " Skipping...")
            return
        }
        draft.family = address.family
        draft.unicastPeers.append(address)
        draft.unicastPeerTimesToLive.append(readTimesToLive(entry))
    }

    /// Reads `min_ttl N max_ttl N`; nil where neither is written.
    private mutating func readTimesToLive(_ entry: Statement.Entry) -> ClosedRange<UInt8>? {
        var bounds: (lower: UInt8, upper: UInt8) = (0, 255)
        var isWritten = false
        var rest = entry.words.dropFirst()
        while let option = rest.popFirst() {
            guard let value = rest.popFirst() else {
                adjusted(option.position, "\(tag) \(option.text) is missing a value")
                break
            }
            let number: Int
            do {
                number = try readInteger(value.text, in: 0...255)
            } catch {
                adjusted(value.position, error, isStrict: true)
                continue
            }
            switch option.text {
            case "min_ttl": bounds.lower = UInt8(number)
            case "max_ttl": bounds.upper = UInt8(number)
            default:
                adjusted(option.position, "\(tag) unknown unicast_peer option \(option.text)")
                return isWritten ? bounds.lower...max(bounds.lower, bounds.upper) : nil
            }
            isWritten = true
            // Whoever bounds the TTL of his peers means to hear only from them.
            draft.checksUnicastSource = true
        }
        if bounds.lower > bounds.upper {
            adjusted(
                entry.position,
                "\(tag) min_ttl \(bounds.lower) > max_ttl \(bounds.upper) - all packets will be"
                    + " discarded", detail: "taken for \(bounds.lower) to \(bounds.lower)")
        }
        return isWritten ? bounds.lower...max(bounds.lower, bounds.upper) : nil
    }
}

/// The address of a host; keepalived cuts off a prefix length, or the end of a range, without a
/// word.
func hostAddress(_ text: String) -> IPAddress? {
    IPAddress(text.prefix { $0 != "/" && $0 != "-" })
}
