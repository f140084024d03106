import NetworkTypes
import SystemPackage

/// That the kernel has refused to change its table, in keepalived's words.
struct IPVSRefusal {
    /// What it was asked for.
    var command: IPVSCommand
    /// The kernel's reason.
    var reason: Errno

    init(of command: IPVSCommand, _ reason: Errno) {
        self.command = command
        // libnl, by which keepalived hears of it, makes both the same.
        self.reason = reason == .noSuchProcess ? .noSuchFileOrDirectory : reason
    }

    /// `IPVS cmd IP_VS_SO_SET_ADD(1154) error: Service already exists(17) (192.0.2.1:tcp:80)`.
    var line: String {
        let (name, number) = command.option
        return "IPVS cmd \(name)(\(number)) error: \(text)(\(reason.rawValue))"
            + (object.map { " (\($0))" } ?? "")
    }

    /// keepalived's `ipvs_strerror`.
    private var text: String {
        switch (command, reason) {
        case (.addService, .fileExists): "Service already exists"
        case (.addService, .noSuchFileOrDirectory), (.editService, .noSuchFileOrDirectory):
            "Scheduler or persistence engine not found"
        case (.addDestination, .fileExists): "Destination already exists"
        case (.editDestination, .noSuchFileOrDirectory),
            (.deleteDestination, .noSuchFileOrDirectory):
            "No such destination"
        case (_, .notPermitted): "Permission denied (you must be root)"
        case (_, .invalidArgument):
            "Invalid operation.  Possibly wrong module version, address not unicast, ..."
        case (_, .protocolNotAvailable): "Protocol not available"
        case (_, .noMemory): "Memory allocation problem"
        case (_, .notSupportedOnSocket): "Operation not supported with IPv6"
        case (_, .addressFamilyNotSupported):
            "Operation not supported with specified address family"
        case (_, .messageTooLong): "Module is wrong version"
        default: reason.description
        }
    }

    /// What it is about; nil: the whole table.
    private var object: String? {
        switch command {
        case .addService(let service), .editService(let service), .deleteService(let service):
            Self.name(service.key)
        case .addDestination(let destination, let service),
            .editDestination(let destination, let service),
            .deleteDestination(let destination, let service):
            "\(Self.name(service.key)) -> \(destination.address):\(destination.port)"
        case .flush: nil
        }
    }

    private static func name(_ key: IPVSService.Key) -> String {
        switch key {
        case .address(let address, let transport, let port): "\(address):\(transport):\(port)"
        case .mark(let mark, .v4): "Fwm \(mark)"
        case .mark(let mark, .v6): "Fwm \(mark) inet6"
        }
    }
}

extension IPVSCommand {
    /// The option of the socket by which it was asked for before there was netlink
    /// (linux/ip_vs.h): keepalived calls it that still.
    fileprivate var option: (name: String, number: Int) {
        switch self {
        case .addService: ("IP_VS_SO_SET_ADD", 1154)
        case .editService: ("IP_VS_SO_SET_EDIT", 1155)
        case .deleteService: ("IP_VS_SO_SET_DEL", 1156)
        case .flush: ("IP_VS_SO_SET_FLUSH", 1157)
        case .addDestination: ("IP_VS_SO_SET_ADDDEST", 1159)
        case .deleteDestination: ("IP_VS_SO_SET_DELDEST", 1160)
        case .editDestination: ("IP_VS_SO_SET_EDITDEST", 1161)
        }
    }
}
