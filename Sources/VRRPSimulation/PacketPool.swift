import NetworkTypes
import VRRP

/// A packet under way, for all its receivers.
struct Packet {
    /// As it is on the wire; empty where the codec is left out.
    var octets: [UInt8]
    var advertisement: Advertisement
    var source: IPAddress
    /// The machine that sent it, nil for a forger.
    var sender: Int?
    /// The virtual router it says it is of, as an index.
    var virtualRouter: Int
    /// What is wrong with a forged one.
    var forgery: Forgery?
    /// Receivers it has not reached yet.
    var pending = 0
}

/// Packets under way; their places are used again, so a long run needs no more memory than a short
/// one.
struct PacketPool {
    private var packets: [Packet] = []
    private var free: [Int] = []

    subscript(index: Int) -> Packet { packets[index] }

    /// Takes a packet that `pending` receivers will get.
    mutating func insert(_ packet: Packet) -> Int {
        guard let index = free.popLast() else {
            packets.append(packet)
            return packets.count - 1
        }
        packets[index] = packet
        return index
    }

    /// One receiver more.
    mutating func retain(_ index: Int) { packets[index].pending += 1 }

    /// One receiver has it, or will not get it.
    mutating func release(_ index: Int) {
        packets[index].pending -= 1
        if packets[index].pending == 0 { free.append(index) }
    }
}
