// set_metadata: writes fixed values into the dynamic metadata.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_filters/set_metadata_filter
#pragma once

#include <string>
#include <vector>

#include "base/value.h"
#include "proxy/filter.h"

namespace sluice::filters::set_metadata {

// Thread: any (immutable).
struct Entry {
  // What becomes of a namespace that is there already.
  enum class Present : uint8_t { kStays, kIsMerged };
  std::string space;
  Value fields;  // a map
  Present present = Present::kStays;
};

// Thread: any (immutable).
class SetMetadataFactory final : public proxy::HttpFilterFactory {
 public:
  explicit SetMetadataFactory(std::vector<Entry> entries) : entries_(std::move(entries)) {}
  std::unique_ptr<proxy::FilterLocal> on_worker(const proxy::FilterPlace& place) const override;
  proxy::HttpFilter* create(proxy::Exchange& exchange, proxy::FilterLocal* local) const override;
  uint8_t hooks() const override;
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;
};

}  // namespace sluice::filters::set_metadata
