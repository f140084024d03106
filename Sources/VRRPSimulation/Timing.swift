import NetworkTypes
import VRRP

/// The protocol's arithmetic, written down a second time: in whole nanoseconds and from the RFCs
/// alone, so that a mistake in `VirtualRouter` is not repeated by what judges it.
///
/// ```
/// skew(2)     = (256 − priority) / 256 s                             RFC 3768 §6.1
/// skew(3)     = (256 − priority) × Master_Adver_Interval / 256       RFC 9568 §6.1
/// Master_Down = n × Master_Adver_Interval + skew, n = 3 unless configured         both
/// ```
///
/// From them the two bounds that hold once the last disturbance of a part of the network is over.
/// `D` is the longest a packet is under way, `L` how late a process may wake, `A` the longest
/// interval of the virtual router. Nothing is known of the state at the last disturbance, but
/// that every waiting backup's timer was set by then, or is set by a packet that arrives within D.
///
/// **Somebody has the addresses after D + min(Master_Down of the able routers) + L.** Let no master
/// live. Then nobody sends after the disturbance, the last packet arrives at D, and every able
/// router's timer fires at D + its Master_Down at the latest. Let one live: it gives way only to
/// an advertisement that beats its own, and the best of the living masters hears none after D.
///
/// **Somebody alone, the right one, after D + M + L + (D + A + L)**, where M is the longest
/// Master_Down. A router that preempts has its timer restarted only by its betters and equals; by
/// D + M + L it has fired, unless one of them is master. Two masters hear each other within the
/// interval, delay and lateness that the second summand allows, and the lesser gives way. With
/// `preempt_delay` P the timer may be restarted by lesser masters from when the first is heard, M
/// at the latest, until P later: P + M more.
///
/// **After a master has resigned in quiet: D + min(skew) + L**, as long as none of its
/// advertisements could arrive after its resignation.
///
/// **Clocks** that are wrong by a share make every wait longer or shorter by it:
/// `Quartz.longest`.
///
/// **In a sync group** a router is master when every member would be, and all routers order their
/// members alike: each wait above is the longest of the members'.
///
/// **A startup's delay** is part of the disturbance, whose end is the delay's.
struct Timing {
    /// The longest interval that anybody advertises.
    var longestIntervalNanoseconds: Int
    /// The shortest.
    var shortestIntervalNanoseconds: Int
    private var version: Int
    private var longestPreemptionDelayNanoseconds: Int
    private var masterDownAdvertisements: Int

    init(_ configurations: [VirtualRouter.Configuration]) {
        let intervals = configurations.map { Int($0.advertisementInterval.wholeNanoseconds) }
        version = configurations.first?.version ?? 2
        masterDownAdvertisements = configurations.map(\.masterDownAdvertisements).max() ?? 3
        longestIntervalNanoseconds = intervals.max() ?? 0
        shortestIntervalNanoseconds = intervals.min() ?? 0
        longestPreemptionDelayNanoseconds =
            configurations.compactMap { $0.preemptionDelay.map { Int($0.wholeNanoseconds) } }.max()
            ?? 0
    }

    /// How much sooner a router of higher priority takes over, nanoseconds.
    static func skew(version: Int, priority: UInt8, intervalNanoseconds: Int) -> Int {
        (256 - Int(priority)) * (version == 2 ? 1_000_000_000 : intervalNanoseconds) / 256
    }

    /// How long a router of that priority waits after a resignation at most, nanoseconds.
    func longestSkew(priority: UInt8) -> Int {
        Self.skew(
            version: version, priority: priority, intervalNanoseconds: longestIntervalNanoseconds)
    }

    /// How long a backup of that priority hears nothing at most before it takes over, nanoseconds.
    func longestMasterDown(priority: UInt8) -> Int {
        masterDownAdvertisements * longestIntervalNanoseconds + longestSkew(priority: priority)
    }

    /// How long after a disturbance there is one master, the right one; nanoseconds.
    func convergenceBound(_ network: Plan.Network) -> Int {
        // The lowest priority there is, since priorities change.
        let slowest = longestMasterDown(priority: 1)
        let delayed =
            longestPreemptionDelayNanoseconds > 0 ? longestPreemptionDelayNanoseconds + slowest : 0
        return 2 * (network.delayNanoseconds + network.latenessNanoseconds)
            + Quartz.longest(forOwn: slowest + longestIntervalNanoseconds + delayed)
    }
}
