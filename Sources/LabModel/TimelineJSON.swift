import NetworkTypes

// How the timeline is written in JSON; `TimelineCoding` reads it.

extension TimelineEvent: JSONWritable {
    public func write(to fields: inout some JSONFields) {
        fields.field("time", time)
        fields.field("stamp", stamp)
        if uncertainty != .zero { fields.field("uncertainty", uncertainty) }
        if order != 0 { fields.field("order", order) }
        fields.field("event", kind.name)
        writeSight(to: &fields)
        writeDeed(to: &fields)
        if let frame { fields.field("frame", frame) }
    }

    /// Writes what kernels and wire have shown.
    private func writeSight(to fields: inout some JSONFields) {
        func place(_ node: String, _ interface: String) {
            fields.field("node", node)
            fields.field("interface", interface)
        }
        switch kind {
        case .addressAdded(let node, let interface, let address),
            .addressRemoved(let node, let interface, let address):
            place(node, interface)
            fields.field("address", address)
        case .link(let node, let interface, let isUp, let hasCarrier):
            place(node, interface)
            fields.field("up", isUp)
            fields.field("carrier", hasCarrier)
        case .routeAdded(let node, let route), .routeRemoved(let node, let route):
            fields.field("node", node)
            route.write(to: &fields)
        case .neighbour(let neighbour): neighbour.write(to: &fields)
        case .neighbourRemoved(let node, let interface, let address):
            place(node, interface)
            fields.field("address", address)
        case .advertisement(let seen): seen.write(to: &fields)
        case .gratuitousARP(let node, let interface, let address, let mac):
            place(node, interface)
            fields.field("address", address)
            fields.field("mac", mac)
        case .arp(let arp): arp.write(to: &fields)
        case .unsolicitedNA(let node, let interface, let address, let mac):
            place(node, interface)
            fields.field("address", address)
            fields.field("mac", mac)
        case .packet(let node, let interface, let length):
            place(node, interface)
            fields.field("length", length)
        case .probe, .control, .fault, .node, .service, .step, .claim, .violation, .stall, .lost,
            .scenario:
            break
        }
    }

    /// Writes what was done, and what is said about it.
    private func writeDeed(to fields: inout some JSONFields) {
        switch kind {
        case .probe(let result): result.write(to: &fields)
        case .control(let verb, let target):
            fields.field("verb", verb)
            fields.field("target", target)
        case .fault(let fault): fault.write(to: &fields)
        case .node(let node, let state):
            fields.field("node", node)
            fields.field("state", state)
        case .service(let node, let service, let state):
            fields.field("node", node)
            fields.field("service", service)
            state.write(to: &fields)
        case .step(let report): report.write(to: &fields)
        case .claim(let claim): claim.write(to: &fields)
        case .violation(let violation): violation.write(to: &fields)
        case .stall(let duration): fields.field("duration", duration)
        case .lost(let loss): loss.write(to: &fields)
        case .scenario(let event): event.write(to: &fields)
        case .addressAdded, .addressRemoved, .link, .routeAdded, .routeRemoved, .neighbour,
            .neighbourRemoved, .advertisement, .gratuitousARP, .arp, .unsolicitedNA, .packet:
            break
        }
    }
}

extension TimelineEvent.Advertisement: JSONWritable {
    public func write(to fields: inout some JSONFields) {
        fields.field("node", node)
        fields.field("interface", interface)
        fields.field("source", source)
        fields.field("version", version)
        fields.field("vrid", vrid)
        fields.field("priority", priority)
        fields.field("interval", interval)
        fields.field("addresses", addresses.map(\.description))
        if let flaw { fields.field("flaw", flaw) }
    }
}

extension TimelineEvent.ARP: JSONWritable {
    public func write(to fields: inout some JSONFields) {
        fields.field("node", node)
        fields.field("interface", interface)
        fields.field("operation", operation)
        fields.field("sender", sender)
        fields.field("senderMAC", senderMAC)
        fields.field("target", target)
        fields.field("targetMAC", targetMAC)
    }
}

extension TimelineEvent.Route: JSONWritable {
    public func write(to fields: inout some JSONFields) {
        fields.field("destination", destination)
        fields.field("type", type)
        if let gateway { fields.field("gateway", gateway) }
        if let interface { fields.field("interface", interface) }
        if let metric { fields.field("metric", metric) }
        fields.field("table", table)
    }
}

extension TimelineEvent.Neighbour: JSONWritable {
    public func write(to fields: inout some JSONFields) {
        fields.field("node", node)
        fields.field("interface", interface)
        fields.field("address", address)
        if let mac { fields.field("mac", mac) }
        fields.field("state", state)
    }
}

extension TimelineEvent.Claim: JSONWritable {
    public func write(to fields: inout some JSONFields) {
        fields.field("node", node)
        fields.field("service", service)
        fields.field("instance", instance)
        fields.field("state", state)
        fields.field("source", source)
    }
}

extension TimelineEvent.Violation: JSONWritable {
    public func write(to fields: inout some JSONFields) {
        fields.field("check", check)
        fields.field("since", since)
        if let until { fields.field("until", until) }
        fields.field("text", text)
        if let cause { fields.field("cause", cause) }
    }
}

extension TimelineEvent.Loss: JSONWritable {
    public func write(to fields: inout some JSONFields) {
        fields.field("what", what)
        if let node { fields.field("node", node) }
        if let count { fields.field("count", count) }
        fields.field("resynchronised", resynchronised.map(\.rawValue))
    }
}

extension TimelineEvent.ServiceState: JSONWritable {
    public func write(to fields: inout some JSONFields) {
        switch self {
        case .starting: fields.field("state", "starting")
        case .running(let pid):
            fields.field("state", "running")
            fields.field("pid", pid)
        case .ready: fields.field("state", "ready")
        case .stopping: fields.field("state", "stopping")
        case .exited(.status(let status)):
            fields.field("state", "exited")
            fields.field("status", status)
        case .exited(.signal(let signal)):
            fields.field("state", "exited")
            fields.field("signal", signal)
        case .failed(let reason):
            fields.field("state", "failed")
            fields.field("error", reason)
        }
    }
}

extension ProbeResult: JSONWritable {
    public func write(to fields: inout some JSONFields) {
        if let probe { fields.field("probe", probe) }
        fields.field("due", due)
        switch outcome {
        case .answered(let status, let body):
            fields.field("status", status)
            fields.field("body", body)
        case .replied: fields.field("replied", true)
        case .failed(let reason): fields.field("error", reason)
        }
    }
}

extension StepReport: JSONWritable {
    public func write(to fields: inout some JSONFields) {
        fields.field("scenario", scenario)
        fields.field("index", index)
        fields.field("summary", summary)
        switch phase {
        case .began: fields.field("phase", "began")
        case .passed(let result):
            fields.field("phase", "passed")
            fields.field("result", result)
        case .failed(let message):
            fields.field("phase", "failed")
            fields.field("message", message)
        case .inconclusive(let message):
            fields.field("phase", "inconclusive")
            fields.field("message", message)
        case .notRun: fields.field("phase", "not-run")
        }
    }
}

extension StepResult: JSONWritable {
    public func write(to fields: inout some JSONFields) {
        if let cause { fields.field("cause", cause) }
        if let after { fields.field("after", after) }
        if let bound { fields.field("bound", bound) }
        if let outage { fields.field("outage", outage) }
        if let measured { fields.field("measured", measured) }
    }
}

extension TimeBound: JSONWritable {
    public func write(to fields: inout some JSONFields) {
        fields.field("terms", terms)
        fields.field("margins", margins)
    }
}

extension TimeBound.Term: JSONWritable {
    public func write(to fields: inout some JSONFields) {
        fields.field("text", text)
        fields.field("duration", duration)
    }
}

extension Outage: JSONWritable {
    public func write(to fields: inout some JSONFields) {
        fields.field("begin", begin)
        if let end { fields.field("end", end) }
        fields.field("lostRequests", lostRequests)
    }
}
