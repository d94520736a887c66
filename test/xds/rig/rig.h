// A client of a control plane in virtual time, the control plane, and users that behave like those of a proxy.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "test/support/sim_loop.h"
#include "test/support/sim_random.h"
#include "test/support/sim_world.h"
#include "test/xds/rig/fake_transport.h"
#include "xds/control_plane.h"

namespace sluice::test {

using config::ResourceType;
using Lines = std::vector<std::string>;

// A resource to send. A plain value.
struct Res {
  std::string name;
  std::string owns;      // a cluster's endpoints, a listener's routes, a scope's routes
  std::string version;   // delta: its own, else that of the response
  bool broken = false;   // breaks a field rule
  bool wrapped = false;  // SotW
  double ttl = 0;        // seconds; wraps
  bool no_body = false;  // wraps
  std::string as;        // another name in the wrapper
  std::vector<std::string> aliases;
  ResourceType type_instead = ResourceType::kRuntime;  // kRuntime: of the type of the response
};

// Notes what reaches it: "v=1 [a b] -[c]", "rejected", "failed", "timeout". Owned by the test. Thread: the test's.
class NotingUser final : public config::ResourceUser {
 public:
  std::string on_resources(const config::ResourceUpdate& update) override;
  void on_rejected(std::string_view) override { notes.emplace_back("rejected"); }
  void on_failure(std::string_view) override { notes.emplace_back("failed"); }
  void on_timeout() override { notes.emplace_back("timeout"); }
  Lines take() { return std::exchange(notes, {}); }

  Lines notes;
  std::string refuse_with;
  std::function<void(const config::ResourceUpdate&)> hook;
};

// Clusters and listeners as a proxy has them: each asks for what it owns, is warm when that came or timed out, and
// warms beside its older version. Owned by the rig. Thread: the test's.
class Owners final : public config::ResourceUser {
 public:
  Owners(xds::ControlPlane& plane, ResourceType type, Duration timeout);
  ~Owners();

  std::string on_resources(const config::ResourceUpdate& update) override;
  void on_rejected(std::string_view) override {}
  void on_failure(std::string_view) override {}
  void on_timeout() override {}

  Lines warm() const;
  Lines warming() const;
  // After start-up: pauses its type while something warms.
  bool hold_answers = false;
  std::set<std::string> refuse;

 private:
  class Owner;
  void add(const config::Resource& resource);
  void update_hold();

  xds::ControlPlane& plane_;
  const ResourceType type_;
  const Duration timeout_;
  std::map<std::string, std::unique_ptr<Owner>> active_;
  std::map<std::string, std::unique_ptr<Owner>> warming_;
  bool holding_ = false;
  std::unique_ptr<config::Subscription> subscription_;
};

// Owned by the test. Thread: the test's.
class Rig {
 public:
  explicit Rig(xds::Options::Protocol protocol, const std::function<void(xds::Options&)>& change = {});

  static xds::Interest named(ResourceType type, std::set<std::string, std::less<>> names, Duration timeout = {});
  static xds::Interest everything(ResourceType type, Duration timeout = {});
  static xds::Interest under(std::string table, Duration timeout = {});

  void run(double seconds) { world.run_for(Duration(static_cast<int64_t>(seconds * 1e9))); }
  // A response on the newest open stream (that has said something of this type, if one has).
  void send(ResourceType type, const std::string& version, const std::vector<Res>& resources,
            const std::vector<std::string>& removed = {});
  void send_bytes(std::string_view bytes);
  void end(int status = 14);
  // The requests since the last call. SotW: "CDS v=1 [a b] n1"; delta: "CDS +[a] -[b] {c=1} n1". The nonce is "-" when
  // there is none; " s2" before it: the number of the stream if it is not 1; " no node" and " error 13" follow.
  Lines sent();
  FakeTransport::Stream* stream_for(ResourceType type);
  std::string response(ResourceType type, const std::string& version, const std::vector<Res>& resources,
                       const std::vector<std::string>& removed, const std::string& nonce) const;

  SimWorld world{1};
  SimLoop loop{world};
  SimRandom random{7};
  FakeTransport transport;
  xds::History history;
  const bool delta;
  xds::ControlPlane plane;
  std::string identifier;
  std::string last_error;  // of the last NACK

 private:
  static xds::Options options_of(xds::Options::Protocol protocol, const std::function<void(xds::Options&)>& change);

  std::map<const FakeTransport::Stream*, size_t> read_;
  int nonces_ = 0;
};

// A serialized resource.
std::string body_of(ResourceType type, const Res& resource);

}  // namespace sluice::test
