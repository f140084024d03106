import LinuxSystem
import Testing

/// What came of echo requests that a node sent.
struct Echoes {
    /// The numbers of those that were answered, in the order of the answers, repeats included.
    var answered: [Int] = []
    /// The times to the answers, in milliseconds.
    var times: [Double] = []
    /// When the answers came, in seconds of that machine's clock.
    var arrivals: [Double] = []

    /// Whether the answers came as slowly as frames of 98 octets may that a token bucket lets pass
    /// (tc-tbf(8)): after those that have a place in it, one after the other. At least five were
    /// awaited: ping gives up two of the longest times that it saw after its last request. The
    /// first may have been seen late, so a fifth is granted.
    func keep(bytesPerSecond rate: Double, burst: Double) -> Bool {
        guard answered.count >= 5, let first = arrivals.first, let last = arrivals.last else {
            return false
        }
        return last - first >= 0.8 * (Double(answered.count) * 98 - burst) / rate
    }
}

extension LabUnderTest {
    /// Sends echo requests from a node, one in 10 ms.
    func ping(
        _ count: Int, from node: String = "b", to address: String = "10.10.10.1"
    ) throws -> Echoes {
        let run = try exec(
            node, "ping", "-D", "-c", "\(count)", "-i", "0.01", "-W", "2", address)
        var echoes = Echoes()
        let answers = run.output.matches(
            of: /\[([0-9.]+)\] .*icmp_seq=(\d+) ttl=\d+ time=([0-9.]+) ms/)
        for answer in answers {
            echoes.arrivals.append(try #require(Double(answer.output.1)))
            echoes.answered.append(try #require(Int(answer.output.2)))
            echoes.times.append(try #require(Double(answer.output.3)))
        }
        return echoes
    }

    /// The process ids, on the host, of the lab's processes that run that program.
    func pids(of program: String) throws -> [Int32] {
        try processes(of: name).filter {
            (try? FileSystem.readText("/proc/\($0)/comm")) == "\(program)\n"
        }
    }

    /// Copies of the programs, in a folder of this lab's, of which a test can take one away.
    func copiedPrograms() throws -> CopiedPrograms {
        let folder = "\(self.folder)/bin"
        try Labctl.copyPrograms(to: folder)
        return CopiedPrograms(folder: folder, workingFolder: self.folder)
    }
}

/// Copies of the project's programs.
struct CopiedPrograms {
    /// Where they are.
    let folder: String
    /// Where `labctl` runs: where the lab's file is.
    let workingFolder: String

    /// Runs the copy of `labctl` to its end.
    func labctl(_ arguments: String...) throws -> LabctlRun {
        try RunningProgram(
            "\(folder)/labctl", arguments, folder: workingFolder, input: "", environment: []
        ).finish()
    }

    /// Takes one of them away.
    func remove(_ program: String) throws { try FileSystem.remove("\(folder)/\(program)") }
}
