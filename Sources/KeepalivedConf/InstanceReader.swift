import NetworkTypes

/// Reads the statements of a `vrrp_instance`, in order: of a keyword that is repeated, the last
/// value counts.
struct InstanceReader: Reading {
    var diagnostics: [ConfDiagnostic] = []
    var draft: InstanceDraft
    /// The diagnostics of invalid VRIDs with no valid one before.
    private var refusedIdentifiers: [Int] = []
    private let statement: Statement
    /// What is defined so far: what is defined later is not found.
    var known: KnownDefinitions

    init(_ statement: Statement, known: KnownDefinitions) {
        self.statement = statement
        self.known = known
        draft = InstanceDraft(name: statement.value.text, position: statement.value.position)
    }

    /// How keepalived marks what it says about the instance.
    var tag: String { "(\(draft.name))" }

    /// Reads the block.
    mutating func read() {
        for inner in statement.body {
            if inner.rule.requiresParameter, inner.arguments.isEmpty {
                noteMissingValue(of: inner)
                continue
            }
            if readIdentity(inner) || readElection(inner) || readAddresses(inner) { continue }
            if readVirtualInterface(inner) || readOptions(inner) || readUnicast(inner) { continue }
            readReactions(inner)
        }
        complainAtEnd()
    }

    /// Remembers that a keyword is there, so that its missing value is not an error twice.
    private mutating func noteMissingValue(of inner: Statement) {
        switch inner.name {
        case "interface": draft.interfacePosition = inner.position
        case "virtual_router_id": draft.virtualRouterIDPosition = inner.position
        default: break
        }
    }

    /// What keepalived says at the block's end, with the number of the line it ends on.
    private mutating func complainAtEnd() {
        let end = statement.endPosition ?? statement.position
        if draft.virtualRouterID != nil {
            for index in refusedIdentifiers { diagnostics[index].kind = .adjustedValue }
        }
        if draft.unicastPosition != nil, draft.virtualInterface != nil {
            if draft.interface == nil {
                adjusted(
                    end,
                    "\(tag): Cannot use VMAC/ipvlan with unicast and no interface - clearing"
                        + " use_vmac")
                draft.virtualInterface = nil
            } else if draft.transmitsFromBasePosition == nil {
                adjusted(end, "\(tag) unicast with use_vmac requires vmac_xmit_base - setting")
                draft.transmitsFromBasePosition = end
            }
        }
        if draft.unicastTimeToLive != nil, draft.unicastPeers.isEmpty {
            adjusted(end, "\(tag): Cannot use unicast_ttl without unicast peers - resetting")
            draft.unicastTimeToLive = nil
        }
    }

    // MARK: Who it is

    private mutating func readIdentity(_ inner: Statement) -> Bool {
        let value = inner.value
        switch inner.name {
        case "interface": readInterface(value)
        case "virtual_router_id":
            draft.virtualRouterIDPosition = value.position
            do {
                draft.virtualRouterID = UInt8(try readInteger(value.text, in: 1...255))
            } catch {
                readInvalidVirtualRouterID(value, error)
            }
        case "version": readVersion(value)
        case "native_ipv6": readNativeIPv6(inner)
        case "authentication": readAuthentication(inner)
        case "vrf":
            draft.vrfPosition = inner.position
            if draft.interface != nil {
                adjusted(
                    inner.position, "\(tag) Cannot specify VRF interface and interface - ignoring")
            }
        default: return false
        }
        return true
    }

    private mutating func readInterface(_ value: Word) {
        if let replaced = draft.interface {
            draft.replacedInterfaces.append(
                InterfaceMention(
                    replaced, at: draft.interfacePosition ?? draft.position,
                    ofInstance: draft.name))
        }
        draft.interfacePosition = value.position
        guard value.text.utf8.count <= InterfaceName.maximumLengthBytes else {
            let message = "Interface name '\(value.text)' too long - ignoring"
            if draft.interface == nil {
                refused(value.position, message)
            } else {
                adjusted(value.position, message)
            }
            return
        }
        guard value.text != "lo" else {
            // RFC 9568 has no virtual router without a link; nor has keepalived.
            draft.interface = nil
            refused(
                value.position,
                "\(tag) cannot use a loopback interface (lo) for vrrp - ignoring")
            return
        }
        draft.interface = InterfaceName(value.text)
        if draft.interface == nil {
            refused(
                value.position,
                "WARNING - interface \(value.text) for vrrp_instance \(draft.name) doesn't exist")
        }
    }

    /// The first version counts, and version 2 only before an IPv6 address.
    private mutating func readVersion(_ value: Word) {
        let name = draft.name
        guard
            let number = integer(
                value, in: 2...3, isSigned: true,
                else: "(\(name)): Version must be either 2 or 3")
        else { return }
        let version: VRRPInstance.Version = number == 2 ? .v2 : .v3
        guard draft.version ?? version == version, version == .v3 || draft.family != .v6 else {
            adjusted(
                value.position,
                "\(tag) vrrp_version \(number) conflicts with configured or deduced version"
                    + " \(draft.version?.rawValue ?? 0); ignoring.")
            return
        }
        draft.version = version
        draft.versionPosition = value.position
    }

    private mutating func readNativeIPv6(_ inner: Statement) {
        guard draft.family != .v4 else {
            adjusted(inner.position, "\(tag) Cannot specify native_ipv6 with IPv4 addresses")
            return
        }
        draft.family = .v6
        draft.version = .v3
    }

    /// An invalid number is ignored; keepalived refuses to run when there is no valid one.
    private mutating func readInvalidVirtualRouterID(_ value: Word, _ error: NumberError) {
        let message = "\(tag): VRID '\(value.text)' not valid - must be between 1 & 255"
        guard draft.virtualRouterID == nil else {
            adjusted(value.position, error, isStrict: true, message)
            return
        }
        var diagnostic = ConfDiagnostic(
            value.position, .error, .refused, message, detail: error.message)
        diagnostic.runTimeMessages = [error.message, message]
        refusedIdentifiers.append(diagnostics.count)
        diagnostics.append(diagnostic)
    }

    private mutating func readAuthentication(_ block: Statement) {
        draft.authenticationPosition = block.position
        for inner in block.body {
            guard !inner.arguments.isEmpty else { continue }
            let value = inner.value
            switch inner.name {
            case "auth_type":
                switch value.text {
                case "PASS": draft.authenticationType = .password
                case "AH": draft.authenticationType = .header
                default:
                    adjusted(
                        value.position, "\(tag) unknown authentication type '\(value.text)'",
                        detail: "PASS and AH are known; without one, there is no authentication")
                }
            case "auth_pass":
                let limit = VRRPInstance.Authentication.maximumBytes
                draft.password = Array(value.text.utf8.prefix(limit))
                if value.text.utf8.count > limit {
                    adjusted(value.position, "Truncating auth_pass to \(limit) characters")
                }
            default: break
            }
        }
    }

    // MARK: How it is elected

    private mutating func readElection(_ inner: Statement) -> Bool {
        let value = inner.value
        let name = draft.name
        switch inner.name {
        case "state": readState(value)
        case "priority":
            let priority = integer(
                value, in: 1...255, isStrict: true,
                else: "(\(name)) Priority not valid! must be between 1 & 255. Using default 100")
            draft.priority = UInt8(priority ?? 100)
            draft.priorityPosition = value.position
        case "advert_int":
            draft.intervalPosition = value.position
            draft.advertisementInterval =
                seconds(
                    value, in: .milliseconds(10) ... .seconds(255),
                    else: "(\(name)) Advert interval (\(value.text)) not valid! Must be > 0"
                        + " - ignoring") ?? draft.advertisementInterval
        case "nopreempt": draft.nopreemptPosition = inner.position
        case "preempt": draft.nopreemptPosition = nil
        case "preempt_delay":
            draft.preemptDelayPosition = value.position
            draft.preemptDelay =
                seconds(
                    value, in: .zero ... .seconds(1000),
                    else: "(\(name)) Preempt_delay not valid! must be between 0-1000") ?? .zero
        case "down_timer_adverts":
            draft.masterDownAdvertisements =
                integer(
                    value, in: 1...100,
                    else: "(\(name)): Invalid down_timer_adverts [1:100] '\(value.text)'")
                ?? draft.masterDownAdvertisements
        default: return false
        }
        return true
    }

    private mutating func readState(_ value: Word) {
        switch value.text {
        case "MASTER": draft.state = .master
        case "BACKUP":
            if draft.state == .master {
                adjusted(
                    value.position, "\(tag) state previously set as MASTER - ignoring BACKUP")
                return
            }
            draft.state = .backup
        default:
            draft.state = .backup
            adjusted(
                value.position, "\(tag) unknown state '\(value.text)', defaulting to BACKUP")
        }
        draft.statePosition = value.position
    }
}
