import NetworkTypes
import Testing
import VRRP

/// Crafted advertisements, with what keepalived 2.2.7 did with each.
@Suite("Crafted packets")
struct CraftedPacketTests {
    struct Vector: CustomTestStringConvertible, Sendable {
        var suite: String, name: String, verdict: String, log: String, counter: String
        var packet: [UInt8]
        var testDescription: String { "\(suite): \(name)" }

        /// What the receiver of that suite was configured with.
        var expected: Advertisement {
            let authentication: Advertisement.Authentication =
                switch suite {
                case "v2-pass": .password("password")
                case "v2-ah": .header("password")
                default: .none
                }
            return Advertisement(
                version: suite == "v3" ? 3 : 2, vrid: 51, priority: 100,
                addresses: [.v4(IPv4Address(10, 10, 10, 10))], authentication: authentication)
        }
    }

    static let vectors: [Vector] = {
        let lines = (try? Fixture.lines(of: "received.tsv")) ?? []
        return lines.map { (line: String) -> Vector in
            let fields = line.split(separator: "\t").map(String.init)
            return Vector(
                suite: fields[0], name: fields[1], verdict: fields[2], log: fields[3],
                counter: fields[4], packet: Array(Fixture.octets(fields[5]).dropFirst(14)))
        }
    }()

    @Test("the crafted advertisements were found")
    func vectorsWereRead() { #expect(Self.vectors.count == 33) }

    enum Verdict {
        case accepted(Advertisement), notOurs, refused(AdvertisementError, names: Bool)
    }

    // RFC-CHECKLIST: 23, 24, 25, 26, 29, 30, 31, 35, 36, 37
    @Test("§7.1: verdict and words are keepalived's", arguments: vectors)
    func verdictsAreKeepaliveds(_ vector: Vector) {
        switch verdict(on: vector.packet, expecting: vector.expected) {
        case .accepted(let advertisement):
            #expect(vector.verdict == "accepted")
            // keepalived's one line about an accepted packet is the router's, who learns.
            #expect(
                vector.log.contains("interval updated") == (advertisement.interval < .seconds(1)))
        case .notOurs:
            #expect(vector.verdict == "ignored-silently")
        case .refused(let error, let names):
            #expect(vector.verdict == "rejected")
            #expect((names ? "(VI_1) \(error)" : "\(error)") == vector.log)
        }
    }

    @Test("a refused packet is counted where keepalived counts it", arguments: vectors)
    func countersAreKeepaliveds(_ vector: Vector) {
        var statistics = Statistics()
        guard
            case .refused(let error, _) = verdict(on: vector.packet, expecting: vector.expected)
        else { return }
        statistics.count(error)
        let moved: [(name: String, value: UInt64)] = [
            ("Length", statistics.lengthErrors), ("TTL", statistics.timeToLiveErrors),
            ("Invalid Type", statistics.invalidTypes),
            ("Address List", statistics.addressListErrors),
            ("Invalid Auth Type", statistics.invalidAuthenticationTypes),
            ("Type Mismatch", statistics.authenticationTypeMismatches),
            ("Failure", statistics.authenticationFailures),
        ].filter { $0.1 != 0 }
        #expect(moved.map(\.value).allSatisfy { $0 == 1 })
        #expect(moved.map(\.name) == (vector.counter == "-" ? [] : [vector.counter]))
        // keepalived has this counter and never counts (`advert_interval_err`).
        #expect((statistics.intervalErrors == 1) == (vector.name == "advert_int 2"))
    }

    /// What the shell does with a packet, the kernel's filter on protocol and group included. The
    /// packets of a suite came one after the other, so each of the authentication header's numbers
    /// was new.
    private func verdict(on packet: [UInt8], expecting expected: Advertisement) -> Verdict {
        guard packet[9] == expected.carrierProtocol else { return .notOurs }
        let received: ReceivedAdvertisement
        do throws(AdvertisementError) {
            received = try ReceivedAdvertisement(parsing: packet)
        } catch {
            return .refused(error, names: false)
        }
        guard received.destination == .v4(Advertisement.group), received.vrid == expected.vrid
        else { return .notOurs }
        do throws(AdvertisementError) {
            return .accepted(try received.validated(against: .init(expected)))
        } catch {
            return .refused(error, names: true)
        }
    }
}
