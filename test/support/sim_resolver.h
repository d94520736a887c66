// SimResolver: the Resolver of the simulation. Answers come from a SimZone, which a test changes as it likes: names
// that come, move and go, servers that fail or say nothing.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "net/resolver.h"
#include "test/support/sim_loop.h"

namespace sluice::test {

// What the servers of a world know. Outlives its resolvers. Thread: the simulation's.
class SimZone {
 public:
  enum class Mood : uint8_t { kWell, kServFail, kSilent };

  // The name has these addresses from now on; none: it exists without any. `ttl` is of all of them.
  void set(const std::string& name, const std::vector<std::string>& ips, Duration ttl = std::chrono::seconds(30));
  void remove(const std::string& name) { names_.erase(name); }
  // How all servers are.
  Mood mood = Mood::kWell;
  // Until an answer comes.
  Duration latency_min = std::chrono::milliseconds(1);
  Duration latency_max = std::chrono::milliseconds(5);

  // Questions so far.
  uint64_t asked(const std::string& name) const;

 private:
  friend class SimResolver;
  std::map<std::string, std::vector<net::DnsAnswer::Record>> names_;
  std::map<std::string, uint64_t> asked_;
};

// Thread: the simulation's.
class SimResolver final : public net::Resolver {
 public:
  SimResolver(SimLoop& loop, SimZone& zone, net::ResolverOptions options)
      : loop_(loop), zone_(zone), options_(std::move(options)) {}
  std::unique_ptr<net::DnsQuery> resolve(const std::string& name, net::DnsFamily family,
                                         net::OnAnswer on_answer) override;

 private:
  class Query;
  SimLoop& loop_;
  SimZone& zone_;
  const net::ResolverOptions options_;
};

}  // namespace sluice::test
