// Resolver: names to addresses, as a seam. UvResolver asks with c-ares, SimResolver answers from a script.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/function.h"
#include "base/time.h"
#include "net/address.h"

namespace sluice::net {

// Envoy's dns_lookup_family. kAuto: IPv6 addresses, or IPv4 ones when there are none; kAll: both.
enum class DnsFamily : uint8_t { kAuto, kV4Only, kV6Only, kV4Preferred, kAll };

// Envoy's CaresDnsResolverConfig.
struct ResolverOptions {
  std::vector<Address> servers;      // empty: those of the system
  bool servers_as_fallback = false;  // `servers` only if the system has none
  bool use_tcp = false;
  bool no_default_search_domain = false;
  Duration query_timeout = std::chrono::seconds(5);
  uint32_t tries = 4;
  bool rotate = false;
  uint16_t edns_payload = 0;  // 0: no EDNS0

  friend bool operator==(const ResolverOptions&, const ResolverOptions&) = default;
};

struct DnsAnswer {
  enum class Status : uint8_t {
    kFound,
    kNone,    // the name does not exist, or has no address of that family: a certain answer
    kFailed,  // no server answered, or it could not: nothing is known
  };
  struct Record {
    Address address;  // port 0
    Duration ttl{0};
  };
  Status status = Status::kFailed;
  std::vector<Record> records;
  std::string error;  // kNone and kFailed: for people
};

using OnAnswer = Function<void(DnsAnswer answer)>;

// A question that waits for its answer; destroying it means that nobody is told. Thread: its resolver's.
class DnsQuery {
 public:
  virtual ~DnsQuery() = default;
};

// Outlives its queries. Thread: its loop's.
class Resolver {
 public:
  virtual ~Resolver() = default;
  // `on_answer` is called once, never inside resolve(), unless the query is destroyed before.
  virtual std::unique_ptr<DnsQuery> resolve(const std::string& name, DnsFamily family, OnAnswer on_answer) = 0;
};

}  // namespace sluice::net
