import KeepalivedConf
import VRRP

/// keepalived.stats: what each instance has counted.
enum StatisticsReport {
    /// The file's contents.
    static func text(_ report: AgentReport) -> String {
        report.instances.map { text($0.instance.name, $0.statistics) }.joined()
    }

    private static func text(_ name: String, _ statistics: Statistics) -> String {
        """
        VRRP Instance: \(name)
          Advertisements:
            Received: \(statistics.advertisementsReceived)
            Sent: \(statistics.advertisementsSent)
          Became master: \(statistics.becameMaster)
          Released master: \(statistics.releasedMaster)
          Packet Errors:
            Length: \(statistics.lengthErrors)
            TTL: \(statistics.timeToLiveErrors)
            Invalid Type: \(statistics.invalidTypes)
            Advertisement Interval: \(statistics.intervalErrors)
            Address List: \(statistics.addressListErrors)
          Authentication Errors:
            Invalid Type: \(statistics.invalidAuthenticationTypes)
            Type Mismatch: \(statistics.authenticationTypeMismatches)
            Failure: \(statistics.authenticationFailures)
          Priority Zero:
            Received: \(statistics.resignationsReceived)
            Sent: \(statistics.resignationsSent)

        """
    }
}
