// What an update changed in a resource, for a person.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::xds {

// Bytes of a resource beyond which it is only said that it changed.
inline constexpr size_t kMostToCompare = 256u << 10;

// Lines like "virtual_hosts[0].routes[1].route.weighted_clusters.clusters[0].weight: 90 -> 80", "endpoints[0]
// .lb_endpoints[2] is new: ...", at most `most`, and one that counts the others; none when both are the same. Secrets,
// keys and passwords are not shown. `type_url` is that of both. Thread: any.
std::vector<std::string> describe_change(std::string_view type_url, const std::string& before, const std::string& after,
                                         size_t most);

}  // namespace sluice::xds
