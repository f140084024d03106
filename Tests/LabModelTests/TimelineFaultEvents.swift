import LabModel
import NetworkTypes

extension TimelineEventTests {
    static let endpoint = Endpoint(node: "m", interface: InterfaceName("eth0")!)

    /// Faults of the network.
    static let faultKinds: [(TimelineEvent.Kind, String, String)] = [
        (
            .fault(.linkDown(endpoint)), "m       link m:eth0 down",
            #""event":"fault","fault":"link-down","endpoint":"m:eth0""#
        ),
        (
            .fault(.blackhole(endpoint, .out)), "m       link m:eth0 blackhole out",
            #""event":"fault","fault":"blackhole","endpoint":"m:eth0","direction":"out""#
        ),
        (
            .fault(.blackhole(endpoint, .both)), "m       link m:eth0 blackhole",
            #""event":"fault","fault":"blackhole","endpoint":"m:eth0","direction":"both""#
        ),
        (
            .fault(.linkUp(endpoint)), "m       link m:eth0 up",
            #""event":"fault","fault":"link-up","endpoint":"m:eth0""#
        ),
        (
            .fault(.flap(endpoint, Flap(period: .milliseconds(1500), dutyPercent: 20, count: 5))),
            "m       link m:eth0 flap period 1500ms duty 20% count 5",
            #""event":"fault","fault":"flap","endpoint":"m:eth0","#
                + #""flap":"period 1500ms duty 20% count 5""#
        ),
        (
            .fault(.plug(endpoint, InterfaceName("dmz")!)), "m       plug m:eth0 dmz",
            #""event":"fault","fault":"plug","endpoint":"m:eth0","network":"dmz""#
        ),
        (
            .fault(.plug(endpoint, nil)), "m       plug m:eth0",
            #""event":"fault","fault":"plug","endpoint":"m:eth0""#
        ),
        (
            .fault(.unplug(endpoint)), "m       unplug m:eth0",
            #""event":"fault","fault":"unplug","endpoint":"m:eth0""#
        ),
        (
            .fault(.cut(from: ["a", "b"], to: ["c"])), "-       cut a,b to c",
            #""event":"fault","fault":"cut","from":["a","b"],"to":["c"]"#
        ),
        (
            .fault(.cut(from: [], to: [])), "-       cut none",
            #""event":"fault","fault":"cut","from":[],"to":[]"#
        ),
        (
            .fault(.impair(endpoint, .parse("in loss every 3")!)),
            "m       impair m:eth0 in loss every 3",
            #""event":"fault","fault":"impair","endpoint":"m:eth0","impairment":"in loss every 3""#
        ),
        (
            .fault(.partition([["a", "b"], ["c"]])), "-       partition a b | c",
            #""event":"fault","fault":"partition","groups":[["a","b"],["c"]]"#
        ),
        (
            .fault(.heal(endpoint)), "m       heal m:eth0",
            #""event":"fault","fault":"heal","endpoint":"m:eth0""#
        ),
        (
            .fault(.limit("m", .parse("cpu 5% disk full")!)), "m       limit m cpu 5% disk full",
            #""event":"fault","fault":"limit","node":"m","limits":"cpu 5% disk full""#
        ),
        (
            .fault(.clock(.parse("m/httpd")!, .parse("-30m")!)), "m       clock m/httpd -30m",
            #""event":"fault","fault":"clock","target":"m/httpd","clock":"-30m""#
        ),
        (.fault(.heal(nil)), "-       heal", #""event":"fault","fault":"heal""#),
    ]
}
