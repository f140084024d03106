/// How much a run did.
public struct SimulationStatistics: Sendable, Equatable {
    /// Events that virtual routers handled: advertisements, timers and what happened to machines;
    /// and packets that were refused before that.
    public var protocolEvents = 0
    /// Times somebody became master.
    public var takeovers = 0
    /// Things that were broken or repaired.
    public var disturbances = 0
    /// Packets that had to be refused, and were.
    public var refusals = 0
    /// Times a part of the network was found to have converged in time.
    public var convergences = 0

    public init() {}

    public static func += (left: inout Self, right: Self) {
        left.protocolEvents += right.protocolEvents
        left.takeovers += right.takeovers
        left.disturbances += right.disturbances
        left.refusals += right.refusals
        left.convergences += right.convergences
    }
}
