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
    /// What the sender and those who understand it have in common; see `Plan.Dialect`.
    var dialect: Int
    /// The authentication header's sequence number, 0 without one.
    var sequenceNumber: UInt32 = 0
    /// What is wrong with a forged one.
    var forgery: Forgery?
    /// Receivers it has not reached yet.
    var pending = 0
    /// What the decoder says of it, by the receiver's dialect. The decoder is a function of the
    /// packet and of what is expected, so of all receivers who expect the same only the first asks.
    var verdicts: (Verdict?, Verdict?)

    subscript(verdictFor dialect: Int) -> Verdict? {
        get { dialect == 0 ? verdicts.0 : verdicts.1 }
        set { if dialect == 0 { verdicts.0 = newValue } else { verdicts.1 = newValue } }
    }
}

/// What becomes of a packet at a receiver.
enum Verdict {
    case accepted(Advertisement)
    case refused(AdvertisementError)
}

/// Packets under way; their places are used again, so a long run needs no more memory than a short
/// one.
struct PacketPool {
    private var packets: [Packet] = []
    private var free: [Int] = []

    subscript(index: Int) -> Packet {
        get { packets[index] }
        _modify { yield &packets[index] }
    }

    /// Takes a packet, to be retained by its ways.
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
