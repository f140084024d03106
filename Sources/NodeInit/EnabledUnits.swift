import LinuxSystem
import NodeProtocol

/// Which units start with the node: those that have a link where systemd would look for one. It is
/// on the node's disk, so what is enabled survives the node.
enum EnabledUnits {
    /// What is pulled in when the machine has come up.
    static let folder = "/etc/systemd/system/multi-user.target.wants"

    /// The link that enables a unit.
    static func link(of unit: String) -> String { "\(folder)/\(unit).service" }

    /// What the link points to: where the unit's file would be. Nothing reads it.
    static func target(of unit: String) -> String { "/lib/systemd/system/\(unit).service" }

    /// Whether a unit is enabled.
    static func contains(_ unit: String) -> Bool { FileSystem.exists(link(of: unit)) }

    /// Enables or disables a unit.
    ///
    /// - Returns: whether that changed anything.
    /// - Throws: ``SystemError`` for a full disk.
    @discardableResult
    static func set(_ unit: String, to isEnabled: Bool) throws(SystemError) -> Bool {
        guard contains(unit) != isEnabled else { return false }
        if isEnabled {
            try FileSystem.makeFolders(folder)
            try FileSystem.link(link(of: unit), to: target(of: unit))
        } else {
            try FileSystem.remove(link(of: unit))
        }
        return true
    }
}
