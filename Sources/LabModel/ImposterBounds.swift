import NetworkTypes

extension TakeoverBounds {
    /// The bound after a station that belongs to nobody has begun, or has gone.
    func bound(
        for subject: Subject, after act: Act, _ imposture: Imposture, on network: InterfaceName,
        seen: Observation
    ) -> TimeBound? {
        let sharing = sharing(subject.address)
        guard !sharing.isEmpty else { return nil }
        if imposture.isNone {
            return rise(of: sharing, for: subject, after: act, isMended: true, seen: seen)
        }
        // Its first advertisement makes every other router yield: it comes at once.
        let silenced = sharing.filter { router in
            imposture.advertised.contains {
                Int($0.vrid ?? UInt8(router.vrid)) == router.vrid
                    && Int($0.priority) > router.priority
            }
        }
        guard silenced.count == sharing.count, subject.nodes == [] else { return nil }
        return TimeBound(terms: [], margins: margins(for: subject))
    }
}
