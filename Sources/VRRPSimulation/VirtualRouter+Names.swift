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
}
