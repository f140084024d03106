/// What a run is, besides its seed.
///
/// The same seed with the same options is the same run, to the nanosecond.
public struct SimulationOptions: Equatable, Sendable {
    /// How many machines there are: a number of this range, by the seed.
    public var routers: ClosedRange<Int>
    /// How many virtual routers they share.
    public var virtualRouters: ClosedRange<Int>
    /// How long it goes on, in the simulation's time.
    public var duration: Duration
    /// Whether advertisements travel as octets, through the encoder and every check of the decoder;
    /// otherwise as values, which is faster and leaves forged packets out.
    public var usesCodec: Bool
    /// A bug that every router of the run has, for tests of the simulation itself.
    public var plantedBug: PlantedBug?
    /// What is watched; all of it, but for tests that ask what one invariant notices.
    public var invariants: Set<Invariant>

    /// The options with these values.
    ///
    /// - Precondition: 2 to 50 routers, 1 to 16 virtual routers.
    public init(
        routers: ClosedRange<Int> = 2...5, virtualRouters: ClosedRange<Int> = 1...2,
        duration: Duration = .seconds(60), usesCodec: Bool = true, plantedBug: PlantedBug? = nil,
        invariants: Set<Invariant> = Set(Invariant.allCases)
    ) {
        precondition(
            routers.lowerBound >= 2 && routers.upperBound <= 50, "a simulation has 2 to 50 routers")
        precondition(
            virtualRouters.lowerBound >= 1 && virtualRouters.upperBound <= 16,
            "a simulation has 1 to 16 virtual routers")
        self.routers = routers
        self.virtualRouters = virtualRouters
        self.duration = duration
        self.usesCodec = usesCodec
        self.plantedBug = plantedBug
        self.invariants = invariants
    }
}
