public import NetworkTypes
public import VRRP

/// What stands between the daemon and its virtual routers, and may have them err: for tests that
/// prove that a lab notices.
///
/// It is asked for whatever changes a router; what only goes on, an advertisement that is due or
/// that says the same as the one before, does not come by here.
public protocol RouterInterposer: AnyObject {
    /// Hands a router an event, or not, and says what is to be done.
    func handle(
        _ event: VirtualRouter.Event, by router: inout VirtualRouter, now: MonotonicInstant
    ) -> [VirtualRouter.Action]
}
