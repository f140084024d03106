import CLinux
import Glibc

/// One step of a packet filter's rule: it loads something of the packet into a register of 16
/// bytes, or ends the rule for packets that do not match, or says what becomes of the packet.
public enum FilterExpression: Hashable, Sendable, CustomStringConvertible {
    /// Which header of the packet.
    public enum Header: UInt32, Hashable, Sendable {
        case network = 1
        case transport = 2
    }

    /// What is known about a packet besides its bytes.
    public enum Property: Hashable, Sendable {
        /// The number of the device it came by.
        case inputDevice
        /// The number of the device it leaves by.
        case outputDevice
        /// What kind that is (`macvlan`), filled up with NULs.
        case outputDeviceKind
        /// The protocol above IP.
        case transportProtocol
        /// Whom the frame was for: one byte, 0 (PACKET_HOST) for the device it came by.
        case packetType

        fileprivate var number: UInt32 {
            switch self {
            case .inputDevice: NFT_META_IIF.rawValue
            case .outputDevice: NFT_META_OIF.rawValue
            case .outputDeviceKind: NFT_META_OIFKIND.rawValue
            case .transportProtocol: NFT_META_L4PROTO.rawValue
            case .packetType: NFT_META_PKTTYPE.rawValue
            }
        }
    }

    /// What becomes of a packet.
    public enum Verdict: Hashable, Sendable {
        case drop
        case accept
        /// Goes on with that chain, and does not come back.
        case goto(String)
    }

    /// Loads bytes of a header.
    case load(Header, offset: UInt32, bytes: UInt32, into: UInt32)
    /// Loads a property.
    case property(Property, into: UInt32)
    /// Goes on only when a register starts with those bytes.
    case equals(UInt32, [UInt8])
    /// Goes on only when a register does not start with those bytes.
    case differs(UInt32, [UInt8])
    /// Loads what is known of the packet's connection (`ct state`): 2 for one that has been
    /// answered, 4 for what belongs to another, 8 for the first of one.
    case connectionState(into: UInt32)
    /// Gives the packet, and all of its connection, the address of the device it leaves by.
    case masquerade
    /// Clears the bits of a register that are clear in the mask.
    case mask(UInt32, [UInt8])
    /// Goes on only when the set has what starts in that register; of a map, loads what it leads
    /// to.
    case lookup(UInt32, set: String, into: UInt32? = nil)
    /// Sends a copy to the address in one register by the device in another.
    case duplicate(address: UInt32, device: UInt32)
    case verdict(Verdict)

    /// As `nft --debug=netlink` says it, nearly.
    public var description: String {
        switch self {
        case .load(let header, let offset, let bytes, let register):
            "payload load \(bytes)b @ \(header) header + \(offset) => reg \(register)"
        case .property(let property, let register): "meta load \(property) => reg \(register)"
        case .equals(let register, let bytes): "cmp eq reg \(register) \(bytes)"
        case .differs(let register, let bytes): "cmp neq reg \(register) \(bytes)"
        case .connectionState(let register): "ct load state => reg \(register)"
        case .masquerade: "masq"
        case .mask(let register, let bytes): "bitwise reg \(register) & \(bytes)"
        case .lookup(let register, let set, let destination):
            "lookup reg \(register) set \(set)\(destination.map { " dreg \($0)" } ?? "")"
        case .duplicate(let address, let device):
            "dup sreg_addr \(address) sreg_dev \(device)"
        case .verdict(let verdict): "immediate reg 0 \(verdict)"
        }
    }

    /// The kernel's word for it.
    var name: String {
        switch self {
        case .load: "payload"
        case .property: "meta"
        case .equals, .differs: "cmp"
        case .connectionState: "ct"
        case .masquerade: "masq"
        case .mask: "bitwise"
        case .lookup: "lookup"
        case .duplicate: "dup"
        case .verdict: "immediate"
        }
    }

    func put(in message: borrowing LibNLMessage) throws(LibNLError) {
        switch self {
        case .load(let header, let offset, let bytes, let register):
            try message.put(NFTA_PAYLOAD_DREG, big: register)
            try message.put(NFTA_PAYLOAD_BASE, big: header.rawValue)
            try message.put(NFTA_PAYLOAD_OFFSET, big: offset)
            try message.put(NFTA_PAYLOAD_LEN, big: bytes)
        case .property(let property, let register):
            try message.put(NFTA_META_DREG, big: register)
            try message.put(NFTA_META_KEY, big: property.number)
        case .equals(let register, let bytes):
            try message.put(NFTA_CMP_SREG, big: register)
            try message.put(NFTA_CMP_OP, big: NFT_CMP_EQ.rawValue)
            try message.put(NFTA_CMP_DATA, value: bytes)
        case .differs(let register, let bytes):
            try message.put(NFTA_CMP_SREG, big: register)
            try message.put(NFTA_CMP_OP, big: NFT_CMP_NEQ.rawValue)
            try message.put(NFTA_CMP_DATA, value: bytes)
        case .connectionState(let register):
            try message.put(NFTA_CT_DREG, big: register)
            try message.put(NFTA_CT_KEY, big: NFT_CT_STATE.rawValue)
        case .masquerade: break
        case .mask(let register, let bytes):
            try message.put(NFTA_BITWISE_SREG, big: register)
            try message.put(NFTA_BITWISE_DREG, big: register)
            try message.put(NFTA_BITWISE_LEN, big: UInt32(bytes.count))
            try message.put(NFTA_BITWISE_MASK, value: bytes)
            try message.put(
                NFTA_BITWISE_XOR, value: [UInt8](repeating: 0, count: bytes.count))
        case .lookup(let register, let set, let destination):
            try message.put(NFTA_LOOKUP_SET, set)
            try message.put(NFTA_LOOKUP_SREG, big: register)
            if let destination { try message.put(NFTA_LOOKUP_DREG, big: destination) }
        case .duplicate(let address, let device):
            try message.put(NFTA_DUP_SREG_ADDR, big: address)
            try message.put(NFTA_DUP_SREG_DEV, big: device)
        case .verdict(let verdict):
            try message.put(NFTA_IMMEDIATE_DREG, big: NFT_REG_VERDICT.rawValue)
            try message.nest(NFTA_IMMEDIATE_DATA) { () throws(LibNLError) in
                try message.nest(NFTA_DATA_VERDICT) { () throws(LibNLError) in
                    try verdict.put(in: message)
                }
            }
        }
    }
}

extension FilterExpression.Verdict {
    // NF_DROP and NF_ACCEPT: only in <linux/netfilter.h>, which cannot be included beside
    // <netinet/in.h>.
    static let dropNumber: UInt32 = 0
    static let acceptNumber: UInt32 = 1

    fileprivate func put(in message: borrowing LibNLMessage) throws(LibNLError) {
        switch self {
        case .drop: try message.put(NFTA_VERDICT_CODE, big: Self.dropNumber)
        case .accept: try message.put(NFTA_VERDICT_CODE, big: Self.acceptNumber)
        case .goto(let chain):
            try message.put(NFTA_VERDICT_CODE, big: UInt32(bitPattern: Int32(NFT_GOTO.rawValue)))
            try message.put(NFTA_VERDICT_CHAIN, chain)
        }
    }
}
