// The entries of an Access Log Service, in protobuf: what the facts of an exchange or of a connection say.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/api-v3/data/accesslog/v3/accesslog.proto
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "format/facts.h"
#include "model/custom_tag.h"

namespace sluice::exporters {

// What one access log says beside what all of them say. Immutable. Thread: any.
struct AlsFields {
  std::vector<std::string> request_headers, response_headers, response_trailers;  // lower case
  std::vector<std::string> filter_state;                                          // names of objects
  std::vector<model::CustomTag> tags;
};

// The text of an object of the filter state that can be logged; null data: there is none of that name.
std::string_view loggable(const FilterState* state, std::string_view name);

// Each as member 1 of its list (HTTPAccessLogEntries, TCPAccessLogEntries).
void append_http_entry(std::string& to, const format::Facts& facts, const AlsFields& fields);
void append_tcp_entry(std::string& to, const format::Facts& facts, const AlsFields& fields);

}  // namespace sluice::exporters
