// Question: the request that `sluice explain` is asked about, as the command line gives it.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "net/address.h"

namespace sluice::explain {

inline constexpr std::string_view kUsage =
    "usage: sluice explain -c FILE 'METHOD http[s]://HOST[:PORT]/PATH' [-H 'NAME: VALUE']... [--source IP[:PORT]]\n"
    "                      [--sni NAME] [--listener NAME] [--json]";

// Thread: main.
struct Question {
  std::string config_path;
  std::string method, scheme, authority, path;  // the path with its query
  std::vector<std::pair<std::string, std::string>> headers;
  net::Address source;      // of the client's connection
  std::string server_name;  // SNI; https only
  uint16_t port = 0;        // where the client connects to: of the URL, or its scheme's
  bool port_given = false;
  std::string listener;  // empty: the first one that the port leads to
  bool json = false;

  bool tls() const { return scheme == "https"; }
};

// The words behind `sluice explain`. An error is one sentence.
Result<Question> parse_question(const std::vector<std::string>& words);

}  // namespace sluice::explain
