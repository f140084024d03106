import KeepalivedConf
import Testing

/// How long a large file takes; `swift test -c release --filter SpeedTests` prints what counts.
@Suite("Speed")
struct SpeedTests {
    /// A file with that many instances, ten lines each.
    static func file(instances: Int) -> String {
        (0..<instances).map { number in
            """
            vrrp_instance VI_\(number) {
                state BACKUP
                interface eth\(number / 255)
                virtual_router_id \(number % 255 + 1)
                priority 100
                advert_int 1
                virtual_ipaddress {
                    10.\(number / 62500).\(number / 250 % 250).\(number % 250 + 1)/24
                }
            }

            """
        }.joined()
    }

    @Test("a thousand instances are parsed within the time a reload may take")
    func manyInstances() throws {
        let text = Self.file(instances: 1000)
        let clock = ContinuousClock()
        let times = (0..<5).map { _ in
            clock.measure { _ = Configuration.parse(text, file: "/etc/keepalived/keepalived.conf") }
        }
        let best = try #require(times.min())
        print("1000 instances, \(text.utf8.count) bytes: \(best)")
        // About 12 ms in release; debug builds on loaded machines take far longer.
        #expect(best < .seconds(2))
    }
}
