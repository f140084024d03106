import ArgumentParser
import LabKit
import LabModel
import NetworkTypes

struct ImposterVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "imposter",
        abstract: "Have a station that belongs to nobody stand on a network, and do harm.",
        usage: "labctl imposter [-l <lab>] <network> <words> ...",
        discussion: """
            It has a port of its own on the network's switch. `labctl imposter lan arp 10.0.0.100` \
            answers for an address of somebody else, `labctl imposter lan advert` takes the place \
            of the master. What is not said follows from the lab's own routers.

              arp ADDRESS [announce [PERIOD]]   answers ARP, or ND; announces it, each 1s
              advert [CLAUSE ...]               advertises, once each interval
              flood RATE [CLAUSE ...]           advertises, so many times a second, up to 100000
              replay [delay TIME] [rate RATE]   sends again what it hears advertised: each once, \
            or all of it over and over
              mac MAC                           its Ethernet address; else one of its own
              seed N                            decides what is random
              none                              ends it, as `labctl heal` does

            Clauses are `vrid N`, `priority N` (else 255), `version 2|3`, `interval TIME`, \
            `address ADDRESS` (once or more), `auth PASSWORD`, `from ADDRESS`, and \
            `wrong FLAW[,FLAW...]`: checksum, ttl, version, type, length, vrid, random.

            A network has one imposter; another takes its place. No partition keeps it from \
            anybody. Others see it as imposter@NETWORK: on the timeline, in captures, in checks.
            """)

    @OptionGroup var lab: LabOption
    @Argument(help: "Where it stands.") var network: String
    @Argument(help: "What it does.") var words: [String]
    @OptionGroup var lasting: LastingOption

    func validate() throws { _ = try fault() }

    func run() throws {
        try lab.client().apply(try fault(), lasting: lasting.duration)
    }

    private func fault() throws -> Fault {
        guard let name = InterfaceName(network) else {
            throw ValidationError("'\(network)' is no network's name")
        }
        do {
            let imposture = try Imposture(words: words)
            if lasting.duration != nil, imposture.isNone {
                throw ValidationError("only an imposter that is there can be so for a time")
            }
            return .imposter(name, imposture)
        } catch let error as ImpostureError {
            throw ValidationError(error.description)
        }
    }
}
