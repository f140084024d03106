import LabModel
import LinuxSystem
import NetworkTypes

/// A capture that somebody has asked for: frames in the order of their stamps, and between them
/// what else the timeline shows, in pcapng.
final class CaptureSession {
    /// How often what is settled is handed on.
    static let interval: Duration = .milliseconds(100)
    /// How much may wait for a reader that is slow before packets are dropped, and counted.
    static let maximumPendingBytes = 64 << 20

    private enum Item {
        case frame([UInt8], network: Int)
        case note(String)
    }

    private unowned let supervisor: Supervisor
    private let networks: [String: Int]
    private var writer: PcapngWriter
    /// What may still be preceded by something, in order.
    private var waiting: [(time: MonotonicInstant, item: Item)] = []
    private var drops = 0
    private var eventListener: Int?
    private var frameListener: Int?
    private var timer: EventLoop.TimerID?
    /// Gets whole blocks.
    private let send: ([UInt8]) -> Void
    private let pendingBytes: () -> Int

    /// Begins to capture.
    ///
    /// - Parameters:
    ///   - pendingBytes: how much of what was sent is still waiting.
    /// - Throws: ``SystemError`` when the kernel refuses the filter.
    init(
        _ supervisor: Supervisor, _ query: CaptureQuery, pendingBytes: @escaping () -> Int,
        send: @escaping ([UInt8]) -> Void
    ) throws(SystemError) {
        self.supervisor = supervisor
        self.pendingBytes = pendingBytes
        self.send = send
        let names = supervisor.fabric.plan.bridges.map(\.name.text)
        networks = Dictionary(
            names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        writer = PcapngWriter(
            lab: supervisor.order.lab.name, networks: names,
            wallClockOffset: -MonotonicClock.realtimeOffset().nanoseconds)
        supervisor.observer.catchUp()
        if !query.onlyControl {
            let keepsPackets = query.keepsPackets
            frameListener = try supervisor.observer.addFrameListener {
                [unowned self] frame, port in
                if keepsPackets { keep(frame, port) }
                put(
                    .frame(frame.bytes, network: network(of: port) ?? 0), at: frame.time)
            }
        }
        eventListener = supervisor.timeline.addListener { [unowned self] event in
            if let note = event.captureNote { put(.note(note), at: event.time) }
            if query.onlyControl, let frame = event.frame, let network = network(of: event) {
                put(.frame(frame, network: network), at: event.time)
            }
        }
        send(writer.take())
        schedule()
    }

    /// Ends the capture and hands on what is left of it.
    func finish() {
        supervisor.observer.catchUp()
        hand(on: MonotonicInstant(nanoseconds: .max))
        writer.finish(drops: drops)
        send(writer.take())
        stop()
    }

    /// Ends the capture as it is.
    func stop() {
        if let frameListener { supervisor.observer.removeFrameListener(frameListener) }
        if let eventListener { supervisor.timeline.removeListener(eventListener) }
        if let timer { supervisor.loop.cancel(timer) }
        (frameListener, eventListener, timer) = (nil, nil, nil)
    }

    /// Puts a frame on the timeline that is not there anyway.
    private func keep(_ frame: PacketCapture.Frame, _ port: DeploymentPlan.Port) {
        guard CapturedFrame.event(frame.bytes, port: port) == nil else { return }
        supervisor.timeline.record(
            .packet(
                node: port.node, interface: port.interface.text, lengthBytes: frame.bytes.count),
            at: frame.time, stamp: .kernel, uncertainty: frame.uncertainty, frame: frame.bytes)
    }

    private func network(of event: TimelineEvent) -> Int? {
        let fabric = supervisor.fabric
        return fabric.faults.cabled(fabric.plan).bridge(of: event.kind).flatMap {
            networks[$0.text]
        }
    }

    /// The one that a port is plugged into now.
    private func network(of port: DeploymentPlan.Port) -> Int? {
        networks[(supervisor.fabric.bridge(of: port)?.name ?? port.bridge).text]
    }

    private func put(_ item: Item, at time: MonotonicInstant) {
        var place = waiting.count
        while place > 0, waiting[place - 1].time > time { place -= 1 }
        waiting.insert((time, item), at: place)
    }

    private func schedule() {
        timer = supervisor.loop.schedule(after: Self.interval) { [unowned self] in
            // First, since handing on ends this when nobody takes it any more.
            schedule()
            hand(on: MonotonicClock.now - TimelineRecorder.settlingTime)
        }
    }

    /// Writes and sends what happened up to then.
    private func hand(on settled: MonotonicInstant) {
        let isFull = pendingBytes() > Self.maximumPendingBytes
        var count = 0
        for (time, item) in waiting {
            guard time <= settled else { break }
            count += 1
            switch item {
            case .note(let text): writer.note(text, at: time)
            case .frame where isFull: drops += 1
            case .frame(let frame, let network): writer.packet(frame, network: network, at: time)
            }
        }
        waiting.removeFirst(count)
        if !writer.bytes.isEmpty { send(writer.take()) }
    }
}
