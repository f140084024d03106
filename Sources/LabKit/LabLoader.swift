import CLinux
import Glibc
public import LabModel
import LinuxSystem
import SystemPackage

/// A lab file that has been read and found right, with everything its nodes need.
public struct LoadedLab: Sendable {
    /// The lab, with the choices of the command line applied.
    public var lab: Lab
    /// Its virtual routers, as the nodes' keepalived.conf files define them.
    public var virtualRouters: [VirtualRouterFacts]
    /// What is odd about the files, but does not keep the lab from running.
    public var warnings: [Diagnostic]
    /// The lab file's path as the user named it.
    public var path: String

    /// The lab as one of its scenarios wants it. The scenario's files were checked with the lab's.
    public func applying(_ scenario: Scenario) -> LoadedLab {
        guard !scenario.files.isEmpty else { return self }
        var changed = self
        changed.lab = lab.applying(scenario: scenario)
        changed.virtualRouters =
            VRRPConfigurationCheck(changed.lab.vrrpConfigurations).virtualRouters
        return changed
    }
}

/// Reads lab files with all they refer to.
public enum LabLoader {
    /// The lab file's name in a lab's folder.
    public static let fileName = "lab.yaml"

    /// Reads a lab.
    ///
    /// - Parameters:
    ///   - path: a lab file, or a folder with a `lab.yaml` in it.
    ///   - name: a name in place of the file's, to have the same lab twice.
    ///   - vrrp: which VRRP daemons the nodes run in place of the file's.
    /// - Throws: ``LabError/invalid(_:)`` with every mistake in the lab file, and in the
    ///   keepalived.conf files of its nodes, at once.
    public static func load(
        _ path: String, name: String? = nil, vrrp: [VRRPDaemonChoice] = []
    ) throws(LabError) -> LoadedLab {
        let file = FileSystem.isFolder(path) ? joined(path, fileName) : path
        let text: String
        do {
            text = try FileSystem.readText(file)
        } catch {
            throw .invalid([
                Diagnostic(
                    file: file, line: 0, column: 0,
                    message: "there is no lab here: \(error.code.text)")
            ])
        }
        let decoding = Lab.decode(yaml: text, file: file, readFile: lookUp)
        let check = VRRPConfigurationCheck(decoding.vrrpConfigurations)
        let diagnostics = (decoding.diagnostics + check.diagnostics).sorted()
        guard var lab = decoding.lab, !diagnostics.contains(where: { $0.severity == .error })
        else { throw .invalid(diagnostics) }
        let mistakes = ScenarioRouterCheck.mistakes(in: lab, file: file)
        guard mistakes.isEmpty else { throw .invalid((diagnostics + mistakes).sorted()) }
        if let name { lab.name = try checked(name) }
        do {
            lab = try lab.replacingVRRPDaemon(vrrp)
            _ = try DeploymentPlan(lab)
        } catch {
            throw .invalid([error])
        }
        return LoadedLab(
            lab: lab, virtualRouters: VRRPConfigurationCheck(lab.vrrpConfigurations).virtualRouters,
            warnings: diagnostics, path: file)
    }

    private static func joined(_ folder: String, _ name: String) -> String {
        if folder == "." { return name }
        return folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
    }

    private static func checked(_ name: String) throws(LabError) -> String {
        guard Lab.isValidName(name) else {
            throw .invalid([
                Diagnostic(
                    file: "--name", line: 0, column: 0,
                    message: "'\(name)' is no lab name: 1 to 32 of a-z, 0-9 and -, "
                        + "beginning with a letter or digit")
            ])
        }
        return name
    }

    static func lookUp(_ path: String) -> FileLookup {
        if FileSystem.isFolder(path) { return .directory }
        do {
            return .contents(try FileSystem.read(path))
        } catch {
            return error.code == .noSuchFileOrDirectory ? .missing : .unreadable(error.code.text)
        }
    }
}
