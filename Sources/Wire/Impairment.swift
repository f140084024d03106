/// What one rule of a wire does to the frames that it selects.
///
/// Terms and defaults are those of tc-netem(8), and of tc-tbf(8) for the rate. A frame goes through
/// it in this order: mtu, duplicate, loss, corrupt, limit, rate, then delay, jitter and reorder:
/// the bottleneck is at the near end of the wire, and its length comes after it. Left out, on
/// purpose: netem's correlations (`loss 1% 25%`), whose own manual advises against them.
///
/// A super-frame that the kernel will still segment (GSO) counts as one, as for netem, but for the
/// mtu, which its packets have to fit.
public struct Impairment: Equatable, Sendable {
    /// The longest packet that passes, in octets of the network layer as `ip link set mtu` has it;
    /// what is longer is lost in silence, as on a path with a smaller MTU and no ICMP about it.
    /// Nil: every packet.
    public var mtuBytes: Int?
    /// Which frames are lost; nil: none.
    public var loss: Loss?
    /// The share of frames that come twice. As with netem, of two copies of which one is lost, one
    /// arrives; here the second copy is not up for loss again.
    public var duplicatePercent = 0.0
    /// The share of copies of which one bit, anywhere in the frame, arrives inverted.
    public var corruptPercent = 0.0
    /// Which frames overtake those that wait for their delay; nil: none.
    public var reorder: Reorder?
    /// How long each frame travels, from its arrival at the wire.
    public var delay: Duration = .zero
    /// How the delay varies; nil: it does not.
    public var jitter: Jitter?
    /// How fast frames get in; nil: at once.
    public var rate: Rate?
    /// How many copies of frames may be under way; netem's `limit`, a thousand as there. What comes
    /// when so many are is lost.
    public var limitPackets = Self.defaultLimitPackets

    /// netem's default.
    public static let defaultLimitPackets = 1000

    /// One that changes nothing.
    public init() {}

    /// How frames are lost.
    public enum Loss: Equatable, Sendable {
        /// Each with the same chance: `loss random PERCENT`.
        case random(percent: Double)
        /// Exactly the Nth, the 2Nth and so on, counted from 1. netem has no such thing; nftables
        /// calls it `numgen inc mod N`.
        case every(Int)
        /// In bursts: `loss gemodel P R 1-H 1-K`.
        case gilbertElliott(GilbertElliott)
    }

    /// A wire that is in a good or a bad state, and loses more in the bad one. It begins in the
    /// good one.
    public struct GilbertElliott: Equatable, Sendable {
        /// p: the chance with each frame that a good state ends.
        public var badPercent: Double
        /// r: the chance with each frame that a bad state ends. netem's default is 100 - p, with
        /// which there are no bursts.
        public var goodPercent: Double
        /// 1-h: the chance of a frame to be lost in the bad state; 100 by default.
        public var lossInBadPercent: Double
        /// 1-k: the chance of a frame to be lost in the good state; 0 by default.
        public var lossInGoodPercent: Double

        /// `gemodel P [R [1-H [1-K]]]`, with tc's defaults.
        public init(p: Double, r: Double? = nil, oneMinusH: Double = 100, oneMinusK: Double = 0) {
            badPercent = p
            goodPercent = r ?? 100 - p
            lossInBadPercent = oneMinusH
            lossInGoodPercent = oneMinusK
        }

        /// The share of frames that are lost in the long run, in percent; nil where it never
        /// changes its state.
        public var stationaryLossPercent: Double? {
            let sum = badPercent + goodPercent
            guard sum > 0 else { return nil }
            return (badPercent * lossInBadPercent + goodPercent * lossInGoodPercent) / sum
        }
    }

    /// `reorder PERCENT gap N`: of the frames since the last one that went at once, N - 1 wait out
    /// their delay, and each of the next goes at once with this chance (sch_netem.c).
    public struct Reorder: Equatable, Sendable {
        public var percent: Double
        /// N; 1 by default, with which every frame has that chance.
        public var gap: Int
        public init(percent: Double, gap: Int = 1) {
            self.percent = percent
            self.gap = gap
        }
    }

    /// `delay TIME JITTER distribution …`: how far the delay of a frame is from the mean. As with
    /// netem, frames are sent when their time has come, so that a jitter above the distance between
    /// frames changes their order; and none arrives before it was sent.
    public struct Jitter: Equatable, Sendable {
        /// The farthest from the mean for `uniform`, the standard deviation for `normal`.
        public var spread: Duration
        public var distribution: Distribution
        public init(_ spread: Duration, _ distribution: Distribution = .uniform) {
            self.spread = spread
            self.distribution = distribution
        }
    }

    /// How jitter is distributed.
    public enum Distribution: String, Codable, Equatable, Sendable {
        /// Every delay between the mean ± the spread is as likely: netem without a distribution.
        case uniform
        /// The normal distribution, cut off at four standard deviations, as netem's table is.
        case normal
    }

    /// A token bucket (tc-tbf(8)): on average `bitsPerSecond` pass, and at most the burst at once.
    /// The bucket is full at first.
    public struct Rate: Equatable, Sendable {
        /// In bits a second of Ethernet frames without their check sequence, as tbf counts.
        public var bitsPerSecond: Int
        /// The size of the bucket. A packet that is longer would never pass, and is lost; a
        /// super-frame of packets that would is let through whole by a full bucket, which then owes
        /// the rest.
        public var burstBytes: Int
        /// How much may wait for tokens. What finds no room is lost.
        public var limit: Limit

        public init(bitsPerSecond: Int, burstBytes: Int, limit: Limit) {
            self.bitsPerSecond = bitsPerSecond
            self.burstBytes = burstBytes
            self.limit = limit
        }

        /// What a queue before a token bucket holds at most.
        public enum Limit: Equatable, Sendable {
            /// `limit BYTES`.
            case bytes(Int)
            /// That many frames, of whatever length (pfifo below a tbf).
            case packets(Int)
        }
    }

    /// Whether every frame passes, once, at once and as it is.
    public var changesNothing: Bool {
        loss == nil && duplicatePercent == 0 && corruptPercent == 0 && rate == nil
            && delay == .zero && jitter == nil && mtuBytes == nil
    }
}

/// Which frames a wire treats how.
public struct WireRule: Codable, Equatable, Sendable {
    /// The frames that it is about.
    public var frames: FrameSelector
    /// What is done to them.
    public var impairment: Impairment
    /// What all its random decisions follow from, together with the link, the direction and the
    /// number of the frame among those that it selects.
    public var seed: UInt64

    public init(_ impairment: Impairment, of frames: FrameSelector = .any, seed: UInt64 = 0) {
        self.frames = frames
        self.impairment = impairment
        self.seed = seed
    }

    private enum CodingKeys: String, CodingKey { case frames, impairment, seed }

    /// A selector left out is any frame, a seed left out is 0.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        frames = try values.decodeIfPresent(FrameSelector.self, forKey: .frames) ?? .any
        impairment = try values.decode(Impairment.self, forKey: .impairment)
        seed = try values.decodeIfPresent(UInt64.self, forKey: .seed) ?? 0
    }
}

/// A way through a link, as the node at its end sees it.
public enum WireDirection: String, Codable, Hashable, Sendable, CaseIterable {
    /// From the network to the node.
    case inward = "in"
    /// From the node to the network.
    case outward = "out"
}
