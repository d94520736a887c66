// ChainMatcher: which filter chain of a listener serves a connection, by filter_chain_match.
//
// The criteria are looked at one after the other, in Envoy's order. For each, the most specific value that any chain
// still in question names and that fits the connection wins, and only its chains stay in question: there is no way
// back, so a connection may find no chain although some chain names nothing at all.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/api-v3/config/listener/v3/listener_components.proto#config-listener-v3-filterchainmatch
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "net/address.h"

namespace sluice::model {

enum class SourceType : uint8_t { kAny, kSameIpOrLoopback, kExternal };
// kSameIpOrLoopback: no IP, an address of this machine as seen from it, 127.0.0.1 or ::1. The rest of the loopback
// network is not, as Envoy has it.
bool is_same_ip_or_loopback(const net::Address& source, const net::Address& destination);

// A network with its prefix length, as the configuration writes it.
struct Prefix {
  net::Address address;
  uint32_t length = 0;
};

// The filter_chain_match of one chain. An empty list (0 for the port) names nothing: it fits everything.
struct ChainCriteria {
  uint16_t destination_port = 0;
  std::vector<Prefix> destinations;
  std::vector<std::string> server_names;  // lower case; "*.example.com" stands for every name below example.com
  std::string transport_protocol;
  std::vector<std::string> application_protocols;
  std::vector<Prefix> direct_sources;
  SourceType source_type = SourceType::kAny;
  std::vector<Prefix> sources;
  std::vector<uint16_t> source_ports;
};

// What is known of a connection. References are looked at during the call only.
struct ChainInputs {
  const net::Address& destination;
  std::string_view server_name;  // lower case; empty: unknown
  std::string_view transport_protocol;
  std::span<const std::string> application_protocols;
  const net::Address& direct_source;
  const net::Address& source;
};

// How one criterion was decided, for people.
struct ChainDecision {
  std::string_view criterion;  // as filter_chain_match names it
  std::string value;           // that won, of those that chains name; empty: the chains that name none
  bool fits = true;            // false: no chain that is still in question fits
  bool alone = true;           // no other value was in question
};

// Look-ups cost some hash look-ups for each criterion that is in use, whatever the number of chains. Immutable once all
// chains are added. Thread: any.
class ChainMatcher {
 public:
  ChainMatcher() : nodes_(1) {}

  // Returns a chain that was added before with a match that is the same (for one combination of values at least); then
  // this chain is not reachable there.
  std::optional<uint32_t> add(const ChainCriteria& criteria, uint32_t chain);
  // `decisions`: gets which value of each criterion won, up to the one that nothing fits; null: nobody asks.
  std::optional<uint32_t> find(const ChainInputs& inputs, std::vector<ChainDecision>* decisions = nullptr) const;

 private:
  static constexpr size_t kLevels = 9;
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  // One criterion, once all before it are decided. Keys are values in bytes; the empty key fits everything. What it
  // leads to is a node, or on the last level a chain.
  struct Node {
    std::unordered_map<std::string, uint32_t, Hash, std::equal_to<>> next;
    std::vector<uint32_t> prefixes;  // the lengths that its networks have, longest first
  };
  static constexpr uint32_t kNone = UINT32_MAX;

  std::optional<uint32_t> insert(const std::array<std::vector<std::string>, kLevels>& keys, size_t level, uint32_t node,
                                 uint32_t chain);
  ChainDecision decision(const Node& node, size_t level, uint32_t next) const;
  uint32_t step(const Node& node, size_t level, const ChainInputs& inputs) const;

  std::vector<Node> nodes_;
};

}  // namespace sluice::model
