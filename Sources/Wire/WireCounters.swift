/// What has become of the frames of a wire, or of those that one rule selects.
///
/// `frames + duplicated == passed + lost + overlimit + oversize`, at any time.
public struct WireCounters: Codable, Equatable, Sendable {
    /// Frames that came.
    public var frames = 0
    /// Copies that went on, be it that they still wait for their time.
    public var passed = 0
    /// Copies that were lost as the rule says.
    public var lost = 0
    /// Copies for which there was no room, be it under the limit or before the token bucket.
    public var overlimit = 0
    /// Frames that were longer than the MTU.
    public var oversize = 0
    /// Frames that were given a second copy.
    public var duplicated = 0
    /// Copies that passed with a bit inverted.
    public var corrupted = 0
    /// Copies that went at once, before others that waited for their delay.
    public var reordered = 0

    public init() {}

    /// Both together.
    public static func + (left: Self, right: Self) -> Self {
        var sum = left
        sum.frames += right.frames
        sum.passed += right.passed
        sum.lost += right.lost
        sum.overlimit += right.overlimit
        sum.oversize += right.oversize
        sum.duplicated += right.duplicated
        sum.corrupted += right.corrupted
        sum.reordered += right.reordered
        return sum
    }
}
