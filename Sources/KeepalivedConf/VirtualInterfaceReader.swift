import NetworkTypes

// `use_vmac` and `use_ipvlan`: interfaces that an instance makes for itself.
extension InstanceReader {
    /// Reads a statement about such an interface; false when it is about something else.
    mutating func readVirtualInterface(_ inner: Statement) -> Bool {
        switch inner.name {
        case "use_vmac":
            var written =
                draft.virtualInterface
                ?? VirtualInterfaceDraft(kind: .macvlan, position: inner.position)
            written.kind = .macvlan
            for word in inner.arguments.prefix(2) { readMacvlan(word, into: &written) }
            draft.virtualInterface = written
        case "use_ipvlan":
            guard draft.virtualInterface?.kind != .ipvlan else {
                adjusted(inner.position, "\(tag) use_ipvlan already specified")
                return true
            }
            var written =
                draft.virtualInterface
                ?? VirtualInterfaceDraft(kind: .ipvlan, position: inner.position)
            written.kind = .ipvlan
            for word in inner.arguments { readIPVLAN(word, into: &written) }
            draft.virtualInterface = written
        case "vmac_xmit_base": draft.transmitsFromBasePosition = inner.position
        case "use_vmac_addr": draft.coversOtherInterfaces = true
        default: return false
        }
        return true
    }

    // MARK: use_vmac [NAME] [ADDRESS]

    private mutating func readMacvlan(_ word: Word, into written: inout VirtualInterfaceDraft) {
        // The kernel lets no interface's name have a colon.
        guard word.text.utf8.contains(UInt8(ascii: ":")) else {
            readName(
                word, into: &written, again: "VMAC interface name already specified",
                invalid: "VMAC interface name '\(word.text)' too long or invalid characters"
                    + " - ignoring")
            return
        }
        guard written.address == nil else {
            adjusted(word.position, "VMAC interface address already specified")
            return
        }
        guard word.text.utf8.allSatisfy(isHexadecimalOrColon) else {
            adjusted(word.position, "VMAC invalid MAC address \(word.text)")
            return
        }
        // Of five octets the VRID is the sixth.
        let text = word.text.hasSuffix(":") ? String(word.text.dropLast()) : word.text
        let colons = text.utf8.count { $0 == UInt8(ascii: ":") }
        guard let address = MACAddress(colons == 4 ? text + ":0" : text) else {
            adjusted(word.position, "VMAC invalid MAC address \(word.text) - ignored")
            return
        }
        guard !address.isMulticast else {
            adjusted(word.position, "VMAC MAC address is multicast \(word.text) - ignoring")
            return
        }
        let isReserved =
            address.octets.prefix(4) == [0, 0, 0x5e, 0] && [1, 2].contains(address.octets[4])
        guard !isReserved else {
            adjusted(
                word.position,
                "VMAC MAC address not allowed to be RFC5798 address (\(word.text)) - ignoring")
            return
        }
        written.address = address
        written.endsInVirtualRouterID = colons == 4
    }

    private func isHexadecimalOrColon(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"), UInt8(ascii: ":"):
            true
        default: false
        }
    }

    /// Reads the interface's name, which no other instance may have.
    private mutating func readName(
        _ word: Word, into written: inout VirtualInterfaceDraft, again: String, invalid: String
    ) {
        guard written.name == nil else {
            adjusted(word.position, again)
            return
        }
        guard let name = InterfaceName(word.text) else {
            adjusted(word.position, invalid)
            return
        }
        if let other = known.virtualInterfaces[name] {
            adjusted(
                word.position,
                "\(tag) VRRP instance \(other) is already using \(name) - ignoring name")
            return
        }
        written.name = name
        known.virtualInterfaces[name] = draft.name
    }

    // MARK: use_ipvlan [NAME] [ADDRESS] [bridge|private|vepa]

    private mutating func readIPVLAN(_ word: Word, into written: inout VirtualInterfaceDraft) {
        let modes: [String: VRRPInstance.VirtualInterface.IPVLANMode] = [
            "bridge": .bridge, "private": .private, "vepa": .vepa,
        ]
        if let mode = modes[word.text] {
            if written.mode == nil {
                written.mode = mode
            } else {
                adjusted(
                    word.position,
                    "\(tag) ipvlan type already specified - ignoring '\(word.text)'")
            }
            return
        }
        if let address = InterfaceAddress(word.text) {
            readIPVLANAddress(address, word, into: &written)
            return
        }
        readName(
            word, into: &written,
            again: "\(tag) IPVLAN interface already specified - ignoring '\(word.text)'",
            invalid: "\(tag) IPVLAN interface name '\(word.text)' too long - ignoring")
    }

    private mutating func readIPVLANAddress(
        _ address: InterfaceAddress, _ word: Word, into written: inout VirtualInterfaceDraft
    ) {
        guard written.interfaceAddress == nil else {
            adjusted(
                word.position,
                "\(tag) ipvlan address already specified - ignoring '\(word.text)'")
            return
        }
        let family = address.address.family
        guard draft.family ?? family == family else {
            adjusted(
                word.position,
                "\(tag) ipvlan address[\(word.text)] MUST match vrrp instance family !!!"
                    + " Skipping...")
            return
        }
        draft.family = family
        written.interfaceAddress = address
        // It is the source of advertisements, too, unless another is written.
        draft.sourceAddress = draft.sourceAddress ?? address.address
    }
}
