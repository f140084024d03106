import CLinux
import Glibc
import KeepalivedConf
import LinuxSystem
import SystemPackage

/// A `notify_fifo`: a line for every transition, and a script that may read them.
///
/// As keepalived has it: the FIFO is made where nothing is, for the script user, and removed at the
/// end if it was made here; opened for reading too, so that lines wait in the pipe while nobody
/// reads; its script is started once and not again. A full pipe never blocks: its lines are lost,
/// and counted in the log, where keepalived says nothing.
final class FIFOWriter {
    let definition: NotifyFIFO

    private let log: (LogLine) -> Void
    private var descriptor: SharedDescriptor?
    private var isMade = false
    private var script: ChildProcess?
    private var lostLines = 0

    /// - Parameters:
    ///   - owner: whom a FIFO made here belongs to; nil: the daemon.
    ///   - script: how to run the definition's script; nil: not at all.
    ///   - mode: the permissions of a FIFO made here: keepalived's 0644 less its umask.
    init(
        _ definition: NotifyFIFO, owner: ScriptUser?, script: CommandLauncher.Invocation?,
        launcher: CommandLauncher, mode: UInt16 = 0o600, log: @escaping (LogLine) -> Void
    ) {
        self.definition = definition
        self.log = log
        do throws(SystemError) {
            isMade = try FileSystem.makeFIFO(definition.path, mode: mode)
        } catch {
            log(.init("Unable to create notify fifo \(definition.path): \(error.code.text)"))
            return
        }
        if isMade, let owner { give(to: owner) }
        if let script { start(script, launcher) }
        open()
    }

    private func give(to owner: ScriptUser) {
        do throws(SystemError) {
            try FileSystem.setOwner(
                definition.path, userID: owner.userID, groupID: owner.groupID)
        } catch {
            log(.init("Failed to set uid:gid for fifo \(definition.path)"))
        }
    }

    private func open() {
        do throws(SystemError) {
            let path = definition.path
            descriptor = SharedDescriptor(
                OwnedDescriptor(
                    try systemCall("open \(path)") {
                        clinux_open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW, 0)
                    }))
        } catch {
            log(
                .init(
                    "Unable to open notify fifo \(definition.path) - errno \(error.code.rawValue)"))
            remove()
        }
    }

    private func start(_ invocation: CommandLauncher.Invocation, _ launcher: CommandLauncher) {
        var invocation = invocation
        invocation.arguments.append(definition.path)
        do throws(CommandLauncher.Failure) {
            script = try launcher.start(invocation) { [weak self] _ in
                self?.log(.init("vrrp notify fifo script terminated"))
                self?.script = nil
                self?.onScriptEnd()
            }
        } catch {
            log(.init("notify fifo script: \(error)"))
        }
    }

    /// Writes a line: whole or not at all (pipe(7), PIPE_BUF).
    func write(_ line: String) {
        guard let descriptor else { return }
        let bytes = Array(line.utf8)
        let count = bytes.withUnsafeBytes {
            Glibc.write(descriptor.rawValue, $0.baseAddress, $0.count)
        }
        if count == bytes.count {
            if lostLines > 0 {
                log(.init("notify fifo \(definition.path) takes lines again, \(lostLines) lost"))
                lostLines = 0
            }
            return
        }
        if lostLines == 0 {
            log(.init("notify fifo \(definition.path) is full, lines are lost"))
        }
        lostLines += 1
    }

    /// Whether its script still runs.
    var isScriptRunning: Bool { script != nil }

    /// Told when the script has ended.
    var onScriptEnd: () -> Void = {}

    /// Removes the FIFO if it was made here, and closes it: its reader comes to the end of what was
    /// written. First removed, so that a reader that opens it anew does not wait for ever.
    func close() {
        remove()
        descriptor?.close()
        descriptor = nil
    }

    /// Ends the script, should it not have ended with the FIFO.
    func endScript() {
        script?.end(grace: .seconds(1))
        script = nil
    }

    private func remove() {
        guard isMade else { return }
        isMade = false
        do throws(SystemError) { try FileSystem.remove(definition.path) } catch {
            log(.init("\(error)"))
        }
    }
}
