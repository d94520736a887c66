// The traffic of one proxy whose requests are mirrored and redirected internally. The mirror does what it likes, and
// nobody notices; what it gets are the bytes of the request. A redirected request comes to the origin twice, whole.
#include "base/strings.h"
#include "test/sim/sim_stage.h"

namespace sluice::test {

using namespace std::chrono_literals;

namespace {

constexpr std::string_view kMovedTraffic = "lllmmmmccceiiqxxffnd";
constexpr std::string_view kMovedSureAnswers = "lmmmmceid";

std::string proxy_with_mirror() {
  std::string yaml = stage_yaml();
  replace_first(yaml, "{cluster: origin}",
                "{cluster: origin, timeout: 12s, request_mirror_policies: [{cluster: mirror}], "
                "internal_redirect_policy: {max_internal_redirects: 1}}");
  return cat(yaml,
             "  - name: mirror\n    connect_timeout: 1s\n    per_connection_buffer_limit_bytes: 32768\n"
             "    load_assignment:\n      cluster_name: mirror\n      endpoints:\n      - lb_endpoints:\n"
             "        - endpoint: {address: {socket_address: {address: ",
             kStageOrigins[1], ", port_value: ", kStagePort, "}}}\n");
}

}  // namespace

Played play_mirrors(uint64_t seed, Trace trace) {
  Stage stage(seed, trace, proxy_with_mirror(), 1, filters::builtin(), {"origin", "mirror"});
  const net::Address address = *net::Address::from_ip(kStageOrigins[1], kStagePort);
  SimMachine machine(stage.proxy.fabric, kStageOrigins[1]);
  Ledger copies(stage.violations);
  TrafficOrigin mirror(machine, address, copies);
  stage.play(kMovedTraffic);
  constexpr SimReach kLater[] = {SimReach::kOpen, SimReach::kOpen, SimReach::kRefused, SimReach::kBlackHole};
  stage.proxy.fabric.set_reach(address, kLater[seed % 4]);
  stage.recover(kMovedSureAnswers);
  const auto some = [&stage](std::string_view counter) {
    return stage.proxy.server->registry().value(counter).value_or(0) > 0;
  };
  stage.violations.expect(some("cluster.mirror.upstream_rq_total"), "nothing was mirrored");
  stage.violations.expect(some("cluster.origin.upstream_internal_redirect_succeeded_total"), "nothing was redirected");
  return stage.end();
}

}  // namespace sluice::test
