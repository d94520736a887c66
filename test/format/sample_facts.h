// An exchange to format: GET /x?k=value&b=1 to cluster a, answered with 200 after 5 ms.
#pragma once

#include "base/arena.h"
#include "base/owner.h"
#include "format/facts.h"

namespace sluice::format {

// Thread: the test's.
class SampleFacts {
 public:
  SampleFacts() {
    using std::chrono::milliseconds;
    request.method = "GET";
    request.path = "/x?k=value&b=1";
    request.authority = "example.test";
    request.scheme = "http";
    response.status = 200;
    facts.start_wall = {1795389006'253067};
    facts.start = {1'000'000'000};
    facts.request_end = facts.start + milliseconds(1);
    facts.upstream_connect_start = facts.start + milliseconds(1);
    facts.upstream_connected = facts.start + milliseconds(2);
    facts.upstream_tx_start = facts.start + milliseconds(2);
    facts.upstream_tx_end = facts.start + milliseconds(2);
    facts.upstream_rx_start = facts.start + milliseconds(4);
    facts.upstream_rx_end = facts.start + milliseconds(5);
    facts.response_start = facts.start + milliseconds(4);
    facts.response_end = facts.end = facts.start + milliseconds(5);
    facts.remote = facts.direct_remote = &client;
    facts.local = &listener;
    facts.has_protocol = true;
    facts.request = &request;
    facts.response = &response;
    facts.bytes_sent = 2;
    facts.response_code = 200;
    facts.details = "via_upstream";
    facts.cluster = facts.cluster_raw = "a";
    facts.upstream_host = &host;
    facts.attempts = 1;
    facts.log_type = LogType::kDownstreamEnd;
  }

  Owner owner{"test"};
  ChunkPool pool{owner};
  Arena arena{pool};
  http::RequestHeaders request{arena};
  http::ResponseHeaders response{arena};
  http::HeaderMap trailers{arena};
  net::Address client = net::Address::from_ip("127.0.0.1", 40000).value();
  net::Address listener = net::Address::from_ip("127.0.0.1", 10000).value();
  net::Address host = net::Address::from_ip("10.1.2.3", 8080).value();
  Facts facts;
};

}  // namespace sluice::format
