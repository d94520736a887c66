// A session under a control plane that says anything in any order, with users that come, go, refuse and hold back:
// it answers every response of delta once, by its nonce, in order, and no other; a state-of-the-world request has the
// newest nonce of its type on its stream; the first request of a stream has the node; nothing is subscribed to and
// unsubscribed from at once; nothing is said after the end of a stream.
#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/log.h"
#include "base/strings.h"
#include "envoy/service/discovery/v3/discovery.pb.h"
#include "test/xds/rig/rig.h"

namespace sluice::test {
namespace {

using envoy::service::discovery::v3::DeltaDiscoveryRequest;
using envoy::service::discovery::v3::DeltaDiscoveryResponse;
using envoy::service::discovery::v3::DiscoveryRequest;
using envoy::service::discovery::v3::DiscoveryResponse;
using xds::Options;

// Takes the input apart. Zeros behind its end.
class Script {
 public:
  Script(const uint8_t* data, size_t size) : left_(reinterpret_cast<const char*>(data), size) {}
  bool done() const { return left_.empty(); }
  uint8_t byte() {
    if (left_.empty()) return 0;
    const auto out = static_cast<uint8_t>(left_.front());
    left_.remove_prefix(1);
    return out;
  }
  std::string_view bytes(size_t size) {
    const std::string_view out = left_.substr(0, size);
    left_.remove_prefix(out.size());
    return out;
  }
  std::string name() { return std::string(1, static_cast<char>('a' + byte() % 6)); }
  ResourceType type() { return static_cast<ResourceType>(byte() % xds::kResourceTypes); }

 private:
  std::string_view left_;
};

// Does within a response what it was told before.
class Unruly final : public config::ResourceUser {
 public:
  std::string on_resources(const config::ResourceUpdate&) override {
    act();
    return refuse ? "no" : "";
  }
  void on_rejected(std::string_view) override { act(); }
  void on_failure(std::string_view) override { act(); }
  void on_timeout() override { act(); }

  bool refuse = false;
  std::function<void()> next;

 private:
  void act() {
    if (const auto what = std::exchange(next, nullptr)) what();
  }
};

class Play {
 public:
  Play(Script script, Options::Protocol protocol, Options::Streams streams)
      : script_(script), rig_(protocol, [&](Options& options) {
          options.streams = streams;
          options.back_off_base = options.back_off_max = std::chrono::milliseconds(10);
          options.refresh_delay = std::chrono::milliseconds(20);
        }) {}

  void run() {
    for (int steps = 0; !script_.done() && steps < 200; ++steps) {
      step();
      check();
    }
    for (const ResourceType type : paused_) rig_.plane.resume(type);
    check();
    for (const auto& [stream, spoken] : spoken_) {
      SLUICE_CHECK(stream->owner == nullptr || spoken.waiting.empty());
    }
    // A half of them before the control plane, a half after it.
    for (size_t i = 0; i < subscriptions_.size(); i += 2) {
      after_.push_back(std::move(subscriptions_[i]));
    }
    subscriptions_.clear();
    check();
  }

 private:
  struct Waiting {
    std::string type_url;
    std::string nonce;
  };
  struct Spoken {
    size_t read = 0;
    bool node = false;
    std::map<std::string, std::string> nonce;  // the newest, by type URL
    std::vector<Waiting> waiting;              // delta
    std::set<std::string> asked;               // types
  };

  void step() {
    switch (script_.byte() % 12) {
      case 0:
        say(std::string(script_.bytes(script_.byte())));
        break;
      case 1:
      case 2:
      case 3:
        respond();
        break;
      case 4:
        if (FakeTransport::Stream* const stream = open_stream()) rig_.transport.end(*stream, script_.byte());
        break;
      case 5:
        rig_.run(script_.byte() / 100.0);
        break;
      case 6:
      case 7:
        subscribe();
        break;
      case 8:
        drop(script_.byte());
        break;
      case 9: {
        const uint8_t which = script_.byte();
        const std::string name = script_.name();
        ask(which, name);
        break;
      }
      case 10: {
        const ResourceType type = script_.type();
        const auto found = std::find(paused_.begin(), paused_.end(), type);
        if (found == paused_.end()) {
          paused_.push_back(type);
          rig_.plane.pause(type);
        } else {
          paused_.erase(found);
          rig_.plane.resume(type);
        }
        break;
      }
      default: {
        user_.refuse = (script_.byte() & 1) != 0;
        const uint8_t what = script_.byte();
        const uint8_t which = script_.byte();
        const std::string name = script_.name();
        user_.next = [this, what, which, name] {
          what % 3 == 0 ? drop(which) : what % 3 == 1 ? ask(which, name) : subscribe();
        };
      }
    }
  }

  FakeTransport::Stream* open_stream() {
    std::vector<FakeTransport::Stream*> open;
    for (const auto& stream : rig_.transport.streams) {
      if (stream->owner != nullptr) open.push_back(stream.get());
    }
    return open.empty() ? nullptr : open[script_.byte() % open.size()];
  }

  void subscribe() {
    xds::Interest interest;
    interest.type = script_.type();
    const uint8_t how = script_.byte();
    interest.initial_fetch_timeout = std::chrono::milliseconds(how);
    if (how % 4 == 0) {
      interest.scope = xds::Interest::Scope::kEverything;
    } else if (how % 4 == 1 && interest.type == ResourceType::kVirtualHost) {
      interest.scope = xds::Interest::Scope::kUnder;
      interest.under = script_.name();
    } else {
      interest.names = {script_.name(), script_.name()};
    }
    named_.push_back(interest.scope != xds::Interest::Scope::kEverything);
    subscriptions_.push_back(rig_.plane.subscribe(std::move(interest), user_));
  }

  void drop(uint8_t which) {
    if (!subscriptions_.empty()) {
      const auto gone = std::move(subscriptions_[which % subscriptions_.size()]);
    }
  }

  void ask(uint8_t which, const std::string& name) {
    if (!subscriptions_.empty()) {
      const size_t index = which % subscriptions_.size();
      if (subscriptions_[index] != nullptr && named_[index]) subscriptions_[index]->ask({name, "z"});
    }
  }

  void respond() {
    const ResourceType type = script_.type();
    std::vector<Res> resources;
    std::vector<std::string> removed;
    for (int count = script_.byte() % 4; count > 0; --count) {
      const uint8_t kind = script_.byte();
      Res res;
      res.name = script_.name();
      res.version = std::string(1, static_cast<char>('0' + kind % 2));
      res.broken = kind % 16 == 1;
      res.wrapped = kind % 4 == 2;
      res.ttl = kind % 5 == 0 ? (kind - 1) / 500.0 : 0;
      res.no_body = kind % 8 == 3;
      if (kind % 16 == 4) res.aliases = {"a/" + res.name};
      if (kind % 32 == 5) res.type_instead = ResourceType::kSecret;
      if (kind % 16 == 6) {
        removed.push_back(res.name);
      } else {
        resources.push_back(std::move(res));
      }
    }
    const std::string version(1, static_cast<char>('0' + script_.byte() % 3));
    say(rig_.response(type, version, resources, removed, cat("n", ++nonces_)));
  }

  void say(const std::string& bytes) {
    FakeTransport::Stream* const stream = open_stream();
    if (stream == nullptr) {
      fetch(bytes);
      return;
    }
    Spoken& spoken = spoken_[stream];
    check();
    if (rig_.delta) {
      DeltaDiscoveryResponse response;
      if (response.ParseFromString(bytes) && spoken.asked.contains(response.type_url())) {
        spoken.waiting.push_back({response.type_url(), response.nonce()});
      }
    } else {
      DiscoveryResponse response;
      if (response.ParseFromString(bytes)) spoken.nonce[response.type_url()] = response.nonce();
    }
    stream->owner->on_message(bytes);
  }

  void fetch(const std::string& bytes) {
    for (const auto& fetch : rig_.transport.fetches) {
      if (fetch->owner != nullptr) {
        const std::string body =
            bytes.size() % 3 == 0
                ? cat(R"({"version_info": "1", "resources": [{"cluster_name": )", json_quote("a"),
                      R"(, "@type": "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"}]})")
                : bytes;
        rig_.transport.answer(*fetch, bytes.size() % 5 == 4 ? 304 : 200, body);
        return;
      }
    }
  }

  void check() {
    for (const auto& stream : rig_.transport.streams) {
      Spoken& spoken = spoken_[stream.get()];
      for (; spoken.read < stream->sent.size(); ++spoken.read) {
        rig_.delta ? check_delta(stream->sent[spoken.read], spoken) : check_sotw(stream->sent[spoken.read], spoken);
      }
    }
  }

  void check_sotw(const std::string& bytes, Spoken& spoken) {
    DiscoveryRequest request;
    SLUICE_CHECK(request.ParseFromString(bytes));
    SLUICE_CHECK(request.node().id() == "node");
    SLUICE_CHECK(request.response_nonce().empty() || request.response_nonce() == spoken.nonce[request.type_url()]);
    SLUICE_CHECK(!request.has_error_detail() || request.error_detail().code() == 13);
    std::set<std::string> names(request.resource_names().begin(), request.resource_names().end());
    SLUICE_CHECK(names.size() == static_cast<size_t>(request.resource_names_size()));
  }

  void check_delta(const std::string& bytes, Spoken& spoken) {
    DeltaDiscoveryRequest request;
    SLUICE_CHECK(request.ParseFromString(bytes));
    SLUICE_CHECK(request.node().id() == "node");
    const bool first = spoken.asked.insert(request.type_url()).second;
    SLUICE_CHECK(first || request.initial_resource_versions().empty());
    std::set<std::string> names(request.resource_names_subscribe().begin(), request.resource_names_subscribe().end());
    SLUICE_CHECK(names.size() == static_cast<size_t>(request.resource_names_subscribe_size()));
    for (const std::string& name : request.resource_names_unsubscribe()) {
      SLUICE_CHECK(!names.contains(name));
    }
    if (request.response_nonce().empty()) {
      SLUICE_CHECK(!request.has_error_detail());
      return;
    }
    SLUICE_CHECK(names.empty() && request.resource_names_unsubscribe().empty());
    SLUICE_CHECK(!first);
    const auto waiting = std::find_if(spoken.waiting.begin(), spoken.waiting.end(),
                                      [&](const Waiting& each) { return each.type_url == request.type_url(); });
    SLUICE_CHECK(waiting != spoken.waiting.end() && waiting->nonce == request.response_nonce());
    spoken.waiting.erase(waiting);
  }

  Script script_;
  Unruly user_;
  std::vector<std::unique_ptr<config::Subscription>> after_;
  Rig rig_;
  std::vector<std::unique_ptr<config::Subscription>> subscriptions_;
  std::vector<bool> named_;
  std::vector<ResourceType> paused_;
  std::map<FakeTransport::Stream*, Spoken> spoken_;
  int nonces_ = 0;
};

void play(Script script) {
  log::set_level(log::Level::kOff);
  const uint8_t how = script.byte();
  Play(script, static_cast<Options::Protocol>(how % 3),
       (how & 4) != 0 ? Options::Streams::kSeparate : Options::Streams::kAggregated)
      .run();
}

}  // namespace
}  // namespace sluice::test

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  sluice::test::play({data, size});
  return 0;
}
