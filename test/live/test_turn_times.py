"""enable_dispatcher_stats: histograms of what turns of the loops take, and of how late they begin; nobody has them otherwise."""
import json

from rig import wait_for

OURS = ["listener_manager.worker_0.dispatcher.loop_duration_us", "listener_manager.worker_0.dispatcher.poll_delay_us",
        "server.dispatcher.loop_duration_us", "server.dispatcher.poll_delay_us"]


def test_turns_are_timed(start):
    proxy = start(args=["--config-yaml", "{enable_dispatcher_stats: true, stats_flush_interval: 0.1s}"])

    def all_counted():
        assert proxy.get()[0] == 200
        counts = json.loads(proxy.admin("/stats?format=json&filter=dispatcher&usedonly")[1])
        return {one["name"] for entry in counts["stats"] for one in entry.get("histograms", {}).get("computed_quantiles", [])} == set(OURS)
    assert wait_for(all_counted)


def test_without_it_nobody_looks_at_the_clock(start):
    proxy = start()
    assert proxy.get()[0] == 200
    assert "dispatcher" not in proxy.admin("/stats")[1]
