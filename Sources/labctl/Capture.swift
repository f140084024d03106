import ArgumentParser
import Glibc
import LabKit
import LabModel
import LinuxSystem
import NetworkTypes
import SystemPackage

struct Capture: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "capture",
        abstract: "Capture the packets of all networks, for Wireshark.",
        discussion: """
            Writes pcapng with nanosecond stamps, one interface for each network, and what else \
            happened in the lab as comments on the packets, until it is interrupted: \
            labctl capture -w - | wireshark -k -i -
            """)

    @OptionGroup var timeline: TimelineOption
    @Option(name: .customShort("w"), help: "The file to write; - for standard output.")
    var file = "-"
    @Flag(help: "Only VRRP, ARP and neighbour advertisements.")
    var control = false
    @Flag(help: "Put the others on the timeline as well, whole.")
    var keep = false
    @Flag(help: "Those that the timeline has kept since the lab began, and no new ones.")
    var recorded = false

    func validate() throws {
        if timeline.run != nil, control || keep {
            throw ValidationError("--control and --keep are for a lab that is up, not for --run")
        }
    }

    func run() throws {
        let source = try timeline.source()
        guard file != "-" || isatty(STDOUT_FILENO) == 0 else {
            throw ValidationError("a capture is nothing for a terminal: -w FILE, or a pipe")
        }
        let output = try openFile()
        let number = output?.rawValue ?? STDOUT_FILENO
        var failure: (any Error)?
        func write(_ blocks: [UInt8]) {
            guard failure == nil else { return }
            do throws(SystemError) {
                try FileSystem.writeAll(blocks[...], to: number, name: file)
            } catch {
                if error.code == .brokenPipe { endForLackOfReader() }
                failure = error
            }
        }
        switch source {
        case .lab(let client) where !recorded:
            SignalDescriptor.blockAll()
            let signals = try SignalDescriptor(endingSignals)
            try client.capture(
                onlyControl: control, keepsPackets: keep, until: signals.descriptor.rawValue,
                onBlocks: write)
        case .lab:
            try writeRecorded(
                of: source,
                wallClockOffset: -MonotonicClock.realtimeOffset().nanoseconds, write)
        case .recorded(let run):
            let offset = try run.record().wallClockOffset ?? 0
            try writeRecorded(of: source, wallClockOffset: offset, write)
        }
        if let failure { throw LabError.failed("\(failure)") }
    }

    private func openFile() throws(LabError) -> SharedDescriptor? {
        if file == "-" { return nil }
        do {
            return try FileSystem.openAnew(file)
        } catch {
            throw .failed("\(error)")
        }
    }

    private func writeRecorded(
        of source: TimelineSource, wallClockOffset: Int64, _ write: ([UInt8]) -> Void
    ) throws {
        let lab = try source.description().lab
        let plan = try DeploymentPlan(lab)
        let networks = plan.bridges.map(\.name)
        var writer = PcapngWriter(
            lab: lab.name, networks: networks.map(\.text), wallClockOffset: wallClockOffset)
        var faults = NetworkFaults()
        try source.events { event, _ in
            if case .fault(let fault) = event.kind { faults.apply(fault) }
            if let note = event.captureNote { writer.note(note, at: event.time) }
            guard let frame = event.frame,
                let bridge = faults.cabled(plan).bridge(of: event.kind),
                let network = networks.firstIndex(of: bridge)
            else { return }
            writer.packet(frame, network: network, at: event.time)
            write(writer.take())
        }
        writer.finish()
        write(writer.take())
    }
}
