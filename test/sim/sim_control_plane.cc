#include "test/sim/sim_control_plane.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"

namespace sluice::test {

namespace {

constexpr std::string_view kAggregated = "/envoy.service.discovery.v3.AggregatedDiscoveryService/";

// One discovery stream.
class StreamPeer final : public control_plane::Peer {
 public:
  explicit StreamPeer(SimGrpcServer::CallPtr call) : call_(std::move(call)) {}
  void send(std::string message) override { call_->send(message); }
  void end(std::string) override { call_->end("3"); }

 private:
  const SimGrpcServer::CallPtr call_;
};

}  // namespace

SimControlPlane::SimControlPlane(SimMachine& machine, const net::Address& address)
    : files_(machine.loop),
      directory_(files_, "/plane"),
      server_(machine, address,
              {.on_open = [this](const CallPtr& call) { on_open(call); },
               .on_message =
                   [this](const CallPtr& call, std::string_view message) {
                     if (const auto one = numbers_.find(call); one != numbers_.end()) {
                       clients_->received(one->second, message);
                     }
                   },
               .on_sent =
                   [this](const CallPtr& call) {
                     if (const auto one = numbers_.find(call); one != numbers_.end()) {
                       clients_->left(one->second);
                     }
                   },
               .on_end = [this](const CallPtr& call) { on_closed(call); },
               .on_break = [this](const CallPtr& call) { on_closed(call); }}) {}

SimControlPlane::~SimControlPlane() { stop(); }

void SimControlPlane::on_open(const CallPtr& call) {
  const bool delta = call->path == cat(kAggregated, "DeltaAggregatedResources");
  if (!delta && call->path != cat(kAggregated, "StreamAggregatedResources")) {
    call->end("12");
    return;
  }
  numbers_[call] = clients_->opened(std::make_shared<StreamPeer>(call), "simulated",
                                    delta ? control_plane::Protocol::kDelta : control_plane::Protocol::kSotw, {});
}

void SimControlPlane::on_closed(const CallPtr& call) {
  if (const auto one = numbers_.extract(call)) {
    clients_->closed(one.mapped());
  }
}

std::string SimControlPlane::read() {
  Result<control_plane::WorldPtr> world = directory_.read();
  if (!world) {
    return world.error();
  }
  world_ = std::move(*world);
  if (running()) {
    clients_->set_world(world_);
  }
  return {};
}

void SimControlPlane::start() {
  clients_ = std::make_unique<control_plane::Clients>(world_);
  server_.start();
}

void SimControlPlane::stop() {
  server_.stop();  // whose calls are closed here
  clients_.reset();
}

bool SimControlPlane::in_force() const {
  if (!running() || clients_->all().empty()) {
    return false;
  }
  return std::all_of(clients_->all().begin(), clients_->all().end(),
                     [](const auto& client) { return client.second.stream.in_force(); });
}

}  // namespace sluice::test
