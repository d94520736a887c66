#include "tools/control_plane/clients.h"

#include <utility>

#include "base/log.h"

namespace sluice::control_plane {

uint64_t Clients::opened(std::shared_ptr<Peer> peer, std::string address, Protocol protocol,
                         std::optional<ResourceType> only) {
  clients_.emplace(++last_number_, Client{Stream(protocol, only), std::move(address), std::move(peer)});
  return last_number_;
}

void Clients::received(uint64_t number, std::string_view message) {
  const auto found = clients_.find(number);
  if (found == clients_.end()) {
    return;
  }
  Client& client = found->second;
  if (std::string wrong = client.stream.on_request(message, *world_); !wrong.empty()) {
    SLUICE_LOG(kWarning, kConfig, "ending the stream of ", client.address, ": ", wrong);
    client.peer->end(std::move(wrong));
    return;
  }
  send_what_there_is(client);
}

void Clients::left(uint64_t number) {
  if (const auto found = clients_.find(number); found != clients_.end()) {
    found->second.sending = false;
    send_what_there_is(found->second);
  }
}

void Clients::closed(uint64_t number) { clients_.erase(number); }

void Clients::set_world(WorldPtr world) {
  world_ = std::move(world);
  for (auto& [number, client] : clients_) {
    client.stream.on_world(*world_);
    send_what_there_is(client);
  }
}

void Clients::send_what_there_is(Client& client) {
  if (client.sending) {
    return;
  }
  if (std::optional<std::string> response = client.stream.next_response()) {
    client.sending = true;
    client.peer->send(std::move(*response));
  }
}

}  // namespace sluice::control_plane
