// StatusPage: a small HTTP server for people and tests; and its client, `control_plane --status`.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/function.h"
#include "base/result.h"
#include "event/loop.h"
#include "net/network.h"

namespace sluice::control_plane {

// Answers GET PATH with what `page` says of the path, 404 when that is empty; one request for each connection.
// Destroyed before its network. Thread: main.
class StatusPage {
 public:
  static constexpr size_t kLargestRequest = 8192;
  static constexpr size_t kMostVisits = 100;  // connections at a time; more are closed
  static constexpr Duration kLongestVisit = std::chrono::seconds(10);

  StatusPage(event::Loop& loop, net::Network& network, net::ListenSocket& socket,
             Function<std::string(std::string_view)> page);
  ~StatusPage();

 private:
  class Visit;
  struct Memory;

  event::Loop& loop_;
  net::Network& network_;
  Function<std::string(std::string_view)> page_;
  std::shared_ptr<Memory> memory_;  // shared with visits, of which the last may end after us
  std::map<uint64_t, std::unique_ptr<Visit>> visits_;
  uint64_t last_number_ = 0;
  std::unique_ptr<net::Acceptor> acceptor_;
};

// What the page of another process says. Blocks, at most ten seconds for each step. Thread: any.
Result<std::string> fetch_status(const net::Address& address, std::string_view path);

}  // namespace sluice::control_plane
