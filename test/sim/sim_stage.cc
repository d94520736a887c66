#include "test/sim/sim_stage.h"

#include <algorithm>

#include "base/check.h"
#include "base/strings.h"

namespace sluice::test {

using namespace std::chrono_literals;

const std::vector<std::string> kStageOrigins = {"10.0.0.19", "10.0.0.20", "10.0.0.21"};
const net::Address kStageProxy = *net::Address::from_ip("10.0.0.2", 8080);

void insert_behind(std::string& yaml, std::string_view after, std::string_view text) {
  const size_t at = yaml.find(after);
  SLUICE_CHECK(at != std::string::npos);
  yaml.insert(at + after.size(), text);
}

void replace_first(std::string& yaml, std::string_view what, std::string_view with) {
  const size_t at = yaml.find(what);
  SLUICE_CHECK(at != std::string::npos);
  yaml.replace(at, what.size(), with);
}

std::string stage_yaml() {
  std::string yaml(kPlainProxy);
  insert_behind(yaml, "- name: main\n", "    per_connection_buffer_limit_bytes: 32768\n");
  insert_behind(yaml, "connect_timeout: 1s\n", "    per_connection_buffer_limit_bytes: 32768\n");
  insert_behind(yaml, "stat_prefix: main\n", "          stream_idle_timeout: 5s\n          request_timeout: 3s\n");
  insert_behind(yaml, "%RESPONSE_FLAGS%", " %RESPONSE_CODE_DETAILS% %BYTES_RECEIVED% %BYTES_SENT%");
  replace_first(yaml, "10.0.0.9", kStageOrigins[0]);
  return yaml;
}

Stage::Stage(uint64_t seed, Trace trace, std::string_view yaml, size_t origins, const config::Extensions& extensions,
             const std::vector<std::string>& clusters)
    : proxy(seed, yaml, nullptr, extensions, 1 + seed % 3,
            [](SimZone& zone) { zone.set("origin.test", {kStageOrigins[0]}); }),
      violations(proxy.world),
      ledger(violations),
      began_(proxy.world.now()) {
  SLUICE_CHECK(proxy.error.empty());
  if (trace == Trace::kPrinted) {
    proxy.world.print_trace();
  }
  proxy.world.buggify();
  for (size_t i = 0; i < origins; ++i) {
    machines_.push_back(std::make_unique<SimMachine>(proxy.fabric, kStageOrigins[i]));
    origins_.push_back(std::make_unique<TrafficOrigin>(*machines_.back(),
                                                       *net::Address::from_ip(kStageOrigins[i], kStagePort), ledger));
  }
  invariants_.emplace(proxy, kStageLimit, violations, clusters);
}

bool Stage::all_done() const {
  return std::all_of(clients_.begin(), clients_.end(), [](const auto& client) { return client->done(); });
}

void Stage::play(std::string_view answers) {
  SimRandom random(proxy.world.random().fork());
  proxy.fabric.faults() = SimFaults::rough(random);
  for (int i = 0; i < 6; ++i) {
    clients_.push_back(std::make_unique<TrafficClient>(proxy.clients, kStageProxy, SimRandom(random.next()), ledger));
    clients_.back()->run(5, answers);
  }
  proxy.world.run_until([this] { return all_done(); }, 120s);
}

void Stage::recover(std::string_view answers) {
  SimRandom random(proxy.world.random().fork());
  proxy.fabric.faults() = SimFaults::uneven(random);
  for (auto& origin : origins_) {
    origin->behave();
  }
  proxy.world.run_for(10s);
  for (auto& client : clients_) {
    client->behave();
    client->run(3, answers);
  }
  const bool done = proxy.world.run_until([this] { return all_done(); }, 60s);
  violations.expect(done, "without faults an answer does not come");
}

Played Stage::end() {
  Played run;
  for (auto& client : clients_) {
    client->leave();
    run.outcomes.add(client->outcomes());
  }
  violations.expect(run.outcomes.sum() == run.outcomes.begun, "an exchange without exactly one outcome");
  proxy.world.run_for(10s);
  invariants_->expect_quiet();
  check_log();
  invariants_.reset();
  violations.expect(proxy.stop(), "the drained server does not end");
  run.take(proxy.world, began_, violations);
  return run;
}

// One line for each exchange; those that went well tell the bytes that both sides know.
void Stage::check_log() {
  const std::vector<std::string> lines = proxy.platform.files().lines("/log");
  violations.expect(lines.size() == invariants_->http(stats::HttpStat::kDownstreamRqTotal),
                    "exchanges and lines of the log differ");
  for (const std::string& line : lines) {
    const auto words = split(line, ' ');
    const auto plan = Plan::parse(words[0]);
    if (words.size() != 6 || !plan || words[1] != "200" || words[2] != "-" || words[3] != "via_upstream") {
      continue;
    }
    const auto received = parse_number<uint64_t>(words[4]);
    violations.expect(
        received == plan->request_bytes || (plan->answer == Answer::kEarly && received < plan->request_bytes),
        cat("the log tells other bytes than were sent: ", line));
    violations.expect(parse_number<uint64_t>(words[5]) == plan->response_bytes,
                      cat("the log tells other bytes than were answered: ", line));
  }
}

}  // namespace sluice::test
