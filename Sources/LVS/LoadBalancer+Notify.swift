import KeepalivedConf

// Who is told of what, in keepalived's order: script, FIFOs, mail.
extension LoadBalancer {
    /// Tells that the quorum of a service was gained or lost.
    mutating func notify(
        _ index: Int, isInitial: Bool, threshold: Int, weight: Int, isStopping: Bool
    ) {
        let state = services[index]
        let server = state.server
        // `omega`: the end is told as well.
        if isStopping, !server.notifiesAtEnd { return }
        let isUp = state.isQuorumUp
        if let command = isUp ? server.quorumUp : server.quorumDown {
            actions.append(.run(command))
        }
        let word = isUp ? "UP" : "DOWN"
        actions.append(.tell("VS \(server.title) \(word)"))
        guard server.smtpAlert else { return }
        let event =
            switch (isUp, isInitial) {
            case (true, true): "Starting with quorum up"
            case (true, false): "Gained quorum"
            case (false, true): "Starting with quorum down"
            case (false, false): "Lost quorum"
            }
        actions.append(
            .mail(
                subject: "Virtualserver \(server.title) - \(word)",
                body: isStopping
                    ? "=> Shutting down <="
                    : "=> \(event) \(server.quorum)+\(server.hysteresis)=\(threshold) <= \(weight)"
                        + " <="))
    }

    /// Tells that a machine lives, or does not. Its mail comes from the checker, whose words are in
    /// it.
    mutating func notify(_ index: Int, server place: Int) {
        let service = services[index].server
        let state = services[index].servers[place]
        if let command = state.isAlive ? state.server.notifyUp : state.server.notifyDown {
            actions.append(.run(command))
        }
        actions.append(
            .tell(
                "RS \(service.title(of: state.server)) \(service.title)"
                    + " \(state.isAlive ? "UP" : "DOWN")"))
    }

    /// Sends a mail about a machine.
    mutating func mail(_ index: Int, server place: Int, body: String) {
        let service = services[index].server
        let state = services[index].servers[place]
        actions.append(
            .mail(
                subject: "Realserver \(service.title(of: state.server)) of virtual server"
                    + " \(service.title) - \(state.isAlive ? "UP" : "DOWN")", body: body))
    }
}
