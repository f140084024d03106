import Glibc
import LinuxSystem
import NetworkTypes
import Testing

@Suite("The tutorials, typed line by line", .enabled(if: buildsLabs, "needs root"))
struct TutorialTests {
    /// An election takes 3.6 s, and a check of the scripts' a second more.
    private static let patience: Duration = .seconds(15)

    /// What `labctl shell` has and `labctl exec` has not.
    private static let shellAliases = "alias ll='ls -l --color=auto'"

    @Test("every command shows what the READMEs say", arguments: ["tutorial", "two-node"])
    func followed(name: String) throws {
        let lab = labPrefix + "tt-" + name
        let up = try Labctl.run("up", "Labs/\(name)", "--name", lab)
        try #require(up.status == 0, "\(up.errors)")
        defer { _ = try? Labctl.run("down", lab) }
        let transcript = Transcript(try FileSystem.readText("Labs/\(name)/README.md"))
        try #require(!transcript.entries.isEmpty)
        for (index, entry) in transcript.entries.enumerated() {
            if let file = entry.editedFile {
                let next = try #require(transcript.entries.dropFirst(index + 1).first)
                try #require(next.command == "cat \(file)", "after \(entry)")
                try write(next.output.map { $0 + "\n" }.joined(), to: file, on: entry, in: lab)
            } else {
                try follow(entry, in: lab)
            }
        }
        let down = try Labctl.run("down", lab)
        #expect(down.status == 0, "\(down.errors)")
        try expectNothingLeft(of: lab)
    }

    private func follow(_ entry: Transcript.Entry, in lab: String) throws {
        let deadline = MonotonicClock.now + Self.patience
        while true {
            let shown = try type(entry.command, on: entry, in: lab)
            if entry.isShown(by: shown) { return }
            guard entry.onlyLooks, MonotonicClock.now < deadline else {
                Issue.record("\(entry)\nshows:\n\(shown)\nand not:\n\(entry.output)")
                return
            }
            usleep(100_000)
        }
    }

    private func type(
        _ command: String, on entry: Transcript.Entry, in lab: String
    ) throws -> String {
        let run = try Labctl.run(
            "exec", "-l", lab, entry.node, "--", "bash", "-c",
            "shopt -s expand_aliases\n\(Self.shellAliases)\n"
                + "cd \(entry.folder) && { \(command)\n} 2>&1")
        return run.output
    }

    private func write(
        _ text: String, to file: String, on entry: Transcript.Entry, in lab: String
    ) throws {
        let run = try Labctl.run(
            "exec", "-l", lab, entry.node, "--", "bash", "-c", "printf %s \"$1\" > \"$2\"", "bash",
            text, file)
        try #require(run.status == 0, "\(entry): \(run.errors)")
    }
}
