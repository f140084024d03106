import VRRP

extension VirtualRouter.Event {
    /// What a trace calls it.
    var name: String {
        switch self {
        case .startup: "startup"
        case .shutdown: "shutdown"
        case .deletion: "deletion"
        case .timer: "its timer"
        case .advertisement: "an advertisement"
        case .faultRaised(let fault): "fault \(fault)"
        case .faultCleared(let fault): "the end of fault \(fault)"
        case .sourceAddressAssigned: "its address"
        case .sourceAddressLost: "the loss of its address"
        case .addressRemoved: "the loss of a virtual address"
        case .priorityChanged(let priority): "priority \(priority)"
        case .reconfigured: "a reload"
        case .promoted: "promotion by its group"
        case .demoted: "demotion by its group"
        case .groupHeardLowerPriority: "what its group heard"
        }
    }

    /// Whether a router may go to FAULT for it.
    var breaks: Bool {
        switch self {
        case .faultRaised, .sourceAddressLost: true
        case .startup, .shutdown, .deletion, .timer, .advertisement, .faultCleared,
            .sourceAddressAssigned, .addressRemoved, .priorityChanged, .reconfigured, .promoted,
            .demoted, .groupHeardLowerPriority:
            false
        }
    }

    /// Whether a router may leave FAULT for it.
    var repairs: Bool {
        switch self {
        case .faultCleared, .sourceAddressAssigned: true
        case .startup, .shutdown, .deletion, .timer, .advertisement, .faultRaised,
            .sourceAddressLost, .addressRemoved, .priorityChanged, .reconfigured, .promoted,
            .demoted, .groupHeardLowerPriority:
            false
        }
    }
}
