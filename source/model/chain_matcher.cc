#include "model/chain_matcher.h"

#include <algorithm>

#include "base/strings.h"

namespace sluice::model {
namespace {

enum Level : size_t {
  kDestinationPort,
  kDestination,
  kServerName,
  kTransportProtocol,
  kApplicationProtocol,
  kDirectSource,
  kSourceType,
  kSource,
  kSourcePort,
};

std::string port_key(uint16_t port) {
  return port == 0 ? std::string() : std::string{static_cast<char>(port >> 8), static_cast<char>(port)};
}

std::string prefix_key(const net::Address& address, uint32_t length) {
  std::string key(address.masked(length).ip_bytes());
  key += static_cast<char>(length);
  return key;
}

std::vector<std::string> prefix_keys(const std::vector<Prefix>& prefixes) {
  std::vector<std::string> keys;
  for (const Prefix& prefix : prefixes) keys.push_back(prefix_key(prefix.address, prefix.length));
  return keys;
}

// The star of a wildcard is not written.
std::vector<std::string> name_keys(const std::vector<std::string>& names) {
  std::vector<std::string> keys;
  for (const std::string& name : names) keys.push_back(name.starts_with("*.") ? name.substr(1) : name);
  return keys;
}

std::vector<std::string> keys_or_any(std::vector<std::string> keys) {
  if (keys.empty()) keys.emplace_back();
  return keys;
}

std::string type_key(SourceType type) {
  return type == SourceType::kAny ? std::string() : std::string(1, static_cast<char>(type));
}

// A key as it is written in a configuration.
std::string key_text(size_t level, const std::string& key) {
  const std::string_view bytes = std::string_view(key).substr(0, key.size() - 1);
  switch (level) {
    case kDestinationPort:
    case kSourcePort:
      return cat(static_cast<uint8_t>(key[0]) * 256 + static_cast<uint8_t>(key[1]));
    case kDestination:
    case kDirectSource:
    case kSource: {
      const auto kind = bytes.size() == 4 ? net::AddressKind::kIp4 : net::AddressKind::kIp6;
      return cat(net::Address::from_ip_bytes(kind, bytes, 0).ip_to_string(), "/", static_cast<uint8_t>(key.back()));
    }
    case kSourceType:
      return key[0] == static_cast<char>(SourceType::kExternal) ? "EXTERNAL" : "SAME_IP_OR_LOOPBACK";
    case kServerName:
      return key[0] == '.' ? "*" + key : key;
    default:
      return key;
  }
}

}  // namespace

bool is_same_ip_or_loopback(const net::Address& source, const net::Address& destination) {
  if (!source.is_ip()) return true;
  constexpr std::string_view kLoopback("\x7f\0\0\1", 4);
  return source.ip_bytes() == kLoopback || (source.kind() == net::AddressKind::kIp6 && source.is_loopback()) ||
         (destination.is_ip() && source.ip_bytes() == destination.ip_bytes());
}

std::optional<uint32_t> ChainMatcher::add(const ChainCriteria& criteria, uint32_t chain) {
  std::array<std::vector<std::string>, kLevels> keys;
  keys[kDestinationPort] = {port_key(criteria.destination_port)};
  keys[kDestination] = keys_or_any(prefix_keys(criteria.destinations));
  keys[kServerName] = keys_or_any(name_keys(criteria.server_names));
  keys[kTransportProtocol] = {criteria.transport_protocol};
  keys[kApplicationProtocol] = keys_or_any(criteria.application_protocols);
  keys[kDirectSource] = keys_or_any(prefix_keys(criteria.direct_sources));
  keys[kSourceType] = {type_key(criteria.source_type)};
  keys[kSource] = keys_or_any(prefix_keys(criteria.sources));
  std::vector<std::string> ports;
  for (const uint16_t port : criteria.source_ports) ports.push_back(port_key(port));
  keys[kSourcePort] = keys_or_any(std::move(ports));
  return insert(keys, 0, 0, chain);
}

std::optional<uint32_t> ChainMatcher::insert(const std::array<std::vector<std::string>, kLevels>& keys, size_t level,
                                             uint32_t node, uint32_t chain) {
  std::optional<uint32_t> same;
  for (const std::string& key : keys[level]) {
    const auto [entry, is_new] = nodes_[node].next.try_emplace(key, kNone);
    if (level + 1 == kLevels) {
      if (is_new) {
        entry->second = chain;
      } else if (entry->second != chain) {
        same = entry->second;
      }
      continue;
    }
    if (is_new) {
      const bool network = level == kDestination || level == kDirectSource || level == kSource;
      if (network && !key.empty()) {
        auto& lengths = nodes_[node].prefixes;
        const uint32_t length = static_cast<uint8_t>(key.back());
        if (std::find(lengths.begin(), lengths.end(), length) == lengths.end()) lengths.push_back(length);
        std::sort(lengths.begin(), lengths.end(), std::greater<>());
      }
      entry->second = static_cast<uint32_t>(nodes_.size());
    }
    const uint32_t child = entry->second;
    if (is_new) nodes_.emplace_back();
    if (const auto found = insert(keys, level + 1, child, chain)) same = found;
  }
  return same;
}

uint32_t ChainMatcher::step(const Node& node, size_t level, const ChainInputs& inputs) const {
  const auto look_up = [&node](std::string_view key) {
    const auto found = node.next.find(key);
    return found == node.next.end() ? kNone : found->second;
  };
  const auto longest_prefix = [&](const net::Address& address) {
    for (const uint32_t length : node.prefixes) {
      if (!address.is_ip()) break;
      if (length > address.ip_bytes().size() * 8) continue;
      if (const uint32_t next = look_up(prefix_key(address, length)); next != kNone) return next;
    }
    return look_up({});
  };
  const auto first_of = [&](std::string_view key) {
    const uint32_t next = key.empty() ? kNone : look_up(key);
    return next != kNone ? next : look_up({});
  };
  switch (level) {
    case kDestinationPort:
      return first_of(port_key(inputs.destination.port()));
    case kDestination:
      return longest_prefix(inputs.destination);
    case kServerName: {
      std::string_view name = inputs.server_name;
      // The name itself, then what follows each of its dots: the longest wildcard first.
      while (!name.empty()) {
        if (const uint32_t next = look_up(name); next != kNone) return next;
        const size_t dot = name.find('.', 1);
        name = dot == std::string_view::npos ? std::string_view() : name.substr(dot);
      }
      return look_up({});
    }
    case kTransportProtocol:
      return first_of(inputs.transport_protocol);
    case kApplicationProtocol:
      for (const std::string& protocol : inputs.application_protocols) {
        if (const uint32_t next = protocol.empty() ? kNone : look_up(protocol); next != kNone) return next;
      }
      return look_up({});
    case kDirectSource:
      return longest_prefix(inputs.direct_source);
    case kSourceType:
      if (node.next.size() == 1 && node.next.begin()->first.empty()) return node.next.begin()->second;
      return first_of(type_key(is_same_ip_or_loopback(inputs.source, inputs.destination) ? SourceType::kSameIpOrLoopback
                                                                                         : SourceType::kExternal));
    case kSource:
      return longest_prefix(inputs.source);
    default:
      return first_of(port_key(inputs.source.port()));
  }
}

ChainDecision ChainMatcher::decision(const Node& node, size_t level, uint32_t next) const {
  constexpr std::string_view kNames[kLevels] = {
      "destination_port",   "prefix_ranges",         "server_names",
      "transport_protocol", "application_protocols", "direct_source_prefix_ranges",
      "source_type",        "source_prefix_ranges",  "source_ports"};
  ChainDecision out{.criterion = kNames[level], .fits = next != kNone, .alone = node.next.size() == 1};
  for (const auto& [key, child] : node.next) {
    if (child == next && !key.empty()) out.value = key_text(level, key);
  }
  return out;
}

std::optional<uint32_t> ChainMatcher::find(const ChainInputs& inputs, std::vector<ChainDecision>* decisions) const {
  uint32_t at = 0;
  for (size_t level = 0; level < kLevels; ++level) {
    const Node& node = nodes_[at];
    at = step(node, level, inputs);
    if (decisions != nullptr) decisions->push_back(decision(node, level, at));
    if (at == kNone) return std::nullopt;
  }
  return at;
}

}  // namespace sluice::model
