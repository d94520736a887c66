// What the types of resources are called: on the wire, in paths, for people.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "config/subscription.h"

namespace sluice::xds {

// A constant.
struct ResourceTypeNames {
  std::string_view message;      // envoy.config.cluster.v3.Cluster
  std::string_view type_url;     // type.googleapis.com/envoy.config.cluster.v3.Cluster
  std::string_view acronym;      // CDS
  std::string_view stream_path;  // of its own service, state of the world; empty where it has none
  std::string_view delta_path;
  std::string_view fetch_path;  // /v3/discovery:clusters; empty where it has none
};

inline constexpr size_t kResourceTypes = 9;

constexpr size_t index_of(config::ResourceType type) { return static_cast<size_t>(type); }
// Thread: any.
const ResourceTypeNames& names_of(config::ResourceType type);
// By the whole URL, as Envoy does. Thread: any.
std::optional<config::ResourceType> type_of(std::string_view type_url);

// One value for each type.
template <typename T>
using PerType = std::array<T, kResourceTypes>;

}  // namespace sluice::xds
