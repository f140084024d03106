import Glibc
import LinuxSystem
import Testing

@Suite("labctl generate: labs that work", .enabled(if: buildsLabs, "needs root"))
struct GenerateVerbTests {
    @Test(
        "what is generated can be tested at once",
        arguments: [
            ["single", "12"], ["linear", "6", "--hosts", "2"],
            ["tree", "--depth", "3", "--fanout", "2"],
            ["leaf-spine", "--spines", "2", "--leaves", "3", "--hosts", "2"],
        ])
    func generated(_ words: [String]) throws {
        let folder = "/tmp/labctl-generated-\(getpid())-\(words[0])"
        defer { try? FileSystem.removeTree(folder) }
        let name = "\(labPrefix)\(words[0])"
        let written = try Labctl.start(
            ["generate"] + words + ["--name", name, "--output", folder]
        ).finish(within: .seconds(20))
        #expect(written.output == "\(folder)/lab.yaml\n")
        let run = try Labctl.run("test", folder)
        #expect(run.status == 0, "\(run.output)\(run.errors)")
        #expect(run.output.hasSuffix("s\n") && run.output.contains("\n1 passed, 0 failed in "))
        let again = try Labctl.start(["generate"] + words + ["--output", folder]).finish(
            within: .seconds(20))
        #expect(again.status == 1)
        #expect(again.errors.contains("is there already: name another folder"))
    }

    @Test("numbers that make no lab are wrong usage, and nothing is written")
    func refused() throws {
        let run = try Labctl.run("generate", "single", "1023", "--output", "/nonexistent")
        #expect(run.status == 2)
        #expect(run.errors.contains("hosts is 1 to 1022, not 1023"))
        #expect(run.output.isEmpty)
    }
}
