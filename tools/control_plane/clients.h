// Clients: all streams that are open, and what the directory says to them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tools/control_plane/stream.h"

namespace sluice::control_plane {

// The way back to one client: the seam to gRPC. Thread: main calls it.
class Peer {
 public:
  virtual ~Peer() = default;
  // One at a time: Clients::left() says that it has left.
  virtual void send(std::string message) = 0;
  // With INVALID_ARGUMENT. Clients::closed() follows.
  virtual void end(std::string why) = 0;
};

// One for the process. Thread: main.
class Clients {
 public:
  struct Client {
    Stream stream;
    std::string address;
    std::shared_ptr<Peer> peer;
    bool sending = false;
  };

  explicit Clients(WorldPtr world) : world_(std::move(world)) {}

  // Returns its number, by which it is called below.
  uint64_t opened(std::shared_ptr<Peer> peer, std::string address, Protocol protocol, std::optional<ResourceType> only);
  void received(uint64_t number, std::string_view message);
  void left(uint64_t number);
  void closed(uint64_t number);

  void set_world(WorldPtr world);

  const World& world() const { return *world_; }
  const std::map<uint64_t, Client>& all() const { return clients_; }

 private:
  void send_what_there_is(Client& client);

  WorldPtr world_;
  std::map<uint64_t, Client> clients_;
  uint64_t last_number_ = 0;
};

}  // namespace sluice::control_plane
