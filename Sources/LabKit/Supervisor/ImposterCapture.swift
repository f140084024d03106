import LabModel
import LinuxSystem
import NetworkTypes

/// The capture of what one imposter sends: a socket of its own, so that a flood pushes no frame of
/// a node's out of the other one's buffer, and takes no more of the supervisor's time than it may.
///
/// What does not fit is counted by the kernel, and told once a second.
final class ImposterCapture {
    /// Room for some hundred small frames: what lies here longer is late on the timeline.
    private static let bufferBytes = 64 << 10
    /// How many frames one look takes, after which there is a pause: 1600 a second.
    private static let framesPerLook = 32
    private static let pause = Duration.milliseconds(20)
    private static let reportPeriod = Duration.seconds(1)

    private let loop: EventLoop
    private let capture: PacketCapture
    private let device: Int32
    private let take: (PacketCapture.Frame) -> Void
    /// Called with how many frames were left out since the last time.
    private let onLoss: (Int) -> Void
    private var leftOut = 0
    private var reportTimer: EventLoop.TimerID?
    private var pauseTimer: EventLoop.TimerID?

    /// Begins to capture what enters the fabric by a device, in the calling thread's namespace.
    ///
    /// - Parameter filter: what of it is taken.
    /// - Throws: ``SystemError``.
    init(
        of device: Int32, filter: [FilterInstruction], loop: EventLoop,
        take: @escaping (PacketCapture.Frame) -> Void, onLoss: @escaping (Int) -> Void
    ) throws(SystemError) {
        self.loop = loop
        self.device = device
        self.take = take
        self.onLoss = onLoss
        capture = try PacketCapture(
            filter: CaptureFilter.only(device, filter), bufferBytes: Self.bufferBytes)
        try watch()
    }

    private func watch() throws(SystemError) {
        try loop.add(capture.descriptor.rawValue, .readable) { [unowned self] _ in look() }
    }

    /// Takes other frames from now on.
    ///
    /// - Throws: ``SystemError`` when the kernel refuses the filter.
    func setFilter(_ filter: [FilterInstruction]) throws(SystemError) {
        try capture.setFilter(CaptureFilter.only(device, filter))
    }

    /// Takes what is there now, at most what there is room for.
    func catchUp() { _ = read(atMost: PacketCapture.maximumFramesPerDrain) }

    /// Takes what is left, and ends.
    func finish() {
        catchUp()
        loop.remove(capture.descriptor.rawValue)
        for timer in [reportTimer, pauseTimer] { timer.map(loop.cancel) }
        (reportTimer, pauseTimer) = (nil, nil)
        report()
    }

    private func look() {
        guard read(atMost: Self.framesPerLook) == Self.framesPerLook else { return }
        loop.remove(capture.descriptor.rawValue)
        pauseTimer = loop.schedule(after: Self.pause) { [unowned self] in
            pauseTimer = nil
            do throws(SystemError) {
                try watch()
            } catch {
                StandardError.print("an imposter is watched no longer: \(error)")
            }
        }
    }

    private func read(atMost limit: Int) -> Int {
        do throws(SystemError) {
            let frames = try capture.drain(atMost: limit)
            for frame in frames { take(frame) }
            leftOut += try capture.drops()
            if leftOut > 0, reportTimer == nil {
                reportTimer = loop.schedule(after: Self.reportPeriod) { [unowned self] in
                    reportTimer = nil
                    report()
                }
            }
            return frames.count
        } catch {
            StandardError.print("an imposter's frames are lost: \(error)")
            return 0
        }
    }

    private func report() {
        if leftOut > 0 { onLoss(leftOut) }
        leftOut = 0
    }
}
