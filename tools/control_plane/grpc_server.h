// GrpcServer: the discovery services on gRPC. The only part that knows gRPC, which has threads of its own.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "event/loop.h"
#include "tools/control_plane/clients.h"

namespace sluice::control_plane {

// PEM, not the names of files. A plain value.
struct ServerTls {
  std::string certificate, key;
  std::string client_ca;  // empty: clients need no certificate
};

// Everything that comes is posted to main, where `clients` lives. Owned by main. Thread: main.
class GrpcServer {
 public:
  // Largest request; and how many streams one connection may have.
  static constexpr int kLargestRequest = 16 * 1024 * 1024;
  static constexpr int kMostStreams = 100;
  // A client that has not moved for so long is asked whether it is there, and has so long to say so.
  static constexpr int kAskAfterMs = 30'000, kAnswerWithinMs = 10'000;
  // A client may ask the same so often; gRPC's own default ends the connection of who does every minute.
  static constexpr int kShortestPingMs = 1'000;

  // Listens, in plain text without `tls`. `address`: IP:PORT, or unix:PATH. The loop runs until this is destroyed, or
  // never again.
  static Result<std::unique_ptr<GrpcServer>> start(const std::string& address, const std::optional<ServerTls>& tls,
                                                   event::Loop& loop, Clients& clients);
  virtual ~GrpcServer() = default;
};

}  // namespace sluice::control_plane
