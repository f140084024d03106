import CLibNL
import CLinux
import Glibc

/// What a bridge lets through one of its ports (`BR_STATE_*`).
public enum BridgePortState: UInt8, Hashable, Sendable, CustomStringConvertible {
    /// Nothing passes in either direction, while both ends keep their carrier.
    case disabled = 0
    case listening = 1
    case learning = 2
    case forwarding = 3
    case blocking = 4

    /// The word that `bridge link` prints.
    public var description: String {
        switch self {
        case .disabled: "disabled"
        case .listening: "listening"
        case .learning: "learning"
        case .forwarding: "forwarding"
        case .blocking: "blocking"
        }
    }
}

/// One setting of a bridge port.
public enum BridgePortChange: Hashable, Sendable, CustomStringConvertible {
    /// Without the spanning tree protocol only `.disabled` and `.forwarding` last, and the kernel
    /// lets a disabled port forward again at any change of its device: a node that sets its own end
    /// down and up undoes this. What no node can undo is taking the port off its bridge
    /// (``LinkChange/master(_:)``).
    case state(BridgePortState)
    /// Whether the bridge remembers which addresses are behind the port.
    case learning(Bool)
    /// Whether unicast frames for unknown addresses leave by the port.
    case floodsUnicast(Bool)
    /// Whether multicast frames leave by the port.
    case floodsMulticast(Bool)
    /// Whether broadcast frames leave by the port.
    case floodsBroadcast(Bool)
    /// Whether the port talks only to ports that are not isolated.
    case isolated(Bool)
    /// Whether frames may leave by the port they entered by.
    case hairpin(Bool)
    /// The bridge forgets which addresses are behind the port.
    case flush

    /// The words after `bridge link set dev DEV`.
    public var description: String {
        func word(_ name: String, _ value: Bool) -> String { "\(name) \(value ? "on" : "off")" }
        return switch self {
        case .state(let state): "state \(state)"
        case .learning(let on): word("learning", on)
        case .floodsUnicast(let on): word("flood", on)
        case .floodsMulticast(let on): word("mcast_flood", on)
        case .floodsBroadcast(let on): word("bcast_flood", on)
        case .isolated(let on): word("isolated", on)
        case .hairpin(let on): word("hairpin", on)
        case .flush: "fdb_flush"
        }
    }

    fileprivate func put(in message: borrowing LibNLMessage) throws(LibNLError) {
        switch self {
        case .state(let state): try message.put(IFLA_BRPORT_STATE, state.rawValue)
        case .learning(let on): try message.put(IFLA_BRPORT_LEARNING, UInt8(on ? 1 : 0))
        case .floodsUnicast(let on): try message.put(IFLA_BRPORT_UNICAST_FLOOD, UInt8(on ? 1 : 0))
        case .floodsMulticast(let on): try message.put(IFLA_BRPORT_MCAST_FLOOD, UInt8(on ? 1 : 0))
        case .floodsBroadcast(let on): try message.put(IFLA_BRPORT_BCAST_FLOOD, UInt8(on ? 1 : 0))
        case .isolated(let on): try message.put(IFLA_BRPORT_ISOLATED, UInt8(on ? 1 : 0))
        case .hairpin(let on): try message.put(IFLA_BRPORT_MODE, UInt8(on ? 1 : 0))
        case .flush: try message.put(IFLA_BRPORT_FLUSH, [UInt8]())
        }
    }
}

extension Request {
    /// Changes settings of a device in its role as a bridge's port.
    ///
    /// Like `bridge link set dev DEV state disabled learning off flood off`. The kernel refuses a
    /// state on a bridge that runs the spanning tree protocol (EBUSY).
    public static func setBridgePort(
        _ device: Device, _ changes: BridgePortChange...
    ) throws(NetlinkError) -> Request {
        let words = changes.map { " \($0)" }.joined()
        let operation = "bridge link set dev \(device)\(words)"
        // Written out, because libnl 3.7 knows only some of the settings. `ip link set DEV type
        // bridge_slave` will not do: it ends with a change notification inside the kernel, at
        // which the bridge lets a disabled port forward again.
        return try Request(operation) { () throws(LibNLError) in
            let message = try LibNLMessage(type: CInt(RTM_SETLINK))
            var header = ifinfomsg()
            header.ifi_family = UInt8(AF_BRIDGE)
            header.ifi_index = device.index
            try message.append(header)
            try message.nest(IFLA_PROTINFO) { () throws(LibNLError) in
                for change in changes { try change.put(in: message) }
            }
            return message
        }
    }
}
