import ArgumentParser
import LabKit
import LabModel
import NetworkTypes

struct Plug: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plug",
        abstract: "Put a cable into the switch of another network, or back where it belongs.",
        discussion: """
            The node sees its carrier go and come. What is done to the cable, as delays, goes with \
            it, and a node that is killed and started again finds it where it is.
            """)

    @OptionGroup var lab: LabOption
    @Argument(
        help: "The end of the cable that is meant, as NODE:INTERFACE.", completion: .endpoints)
    var port: String
    @Argument(help: "The network; the one where it belongs, where none is given.")
    var network: String?
    @OptionGroup var lasting: LastingOption

    func validate() throws {
        _ = try endpoint(port)
        if lasting.duration != nil, network == nil {
            throw ValidationError("only what is plugged in elsewhere can be so for a time")
        }
    }

    func run() throws {
        let name = try network.map { text in
            guard let name = InterfaceName(text) else {
                throw ValidationError("'\(text)' is no name of a network")
            }
            return name
        }
        try lab.client().apply(.plug(endpoint(port), name), lasting: lasting.duration)
    }
}

struct Unplug: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unplug",
        abstract: "Take a cable out of its switch: the carrier goes. `plug` puts it back.")

    @OptionGroup var lab: LabOption
    @Argument(
        help: "The end of the cable that is meant, as NODE:INTERFACE.", completion: .endpoints)
    var port: String
    @OptionGroup var lasting: LastingOption

    func validate() throws { _ = try endpoint(port) }

    func run() throws {
        try lab.client().apply(.unplug(endpoint(port)), lasting: lasting.duration)
    }
}
