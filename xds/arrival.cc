#include "xds/arrival.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "base/strings.h"
#include "base/utf8.h"
#include "config/any.h"
#include "config/source_map.h"
#include "config/validation.h"
#include "envoy/service/discovery/v3/discovery.pb.h"
#include "xds/resource_types.h"

namespace sluice::xds {
namespace {

using envoy::service::discovery::v3::DeltaDiscoveryResponse;
using envoy::service::discovery::v3::DiscoveryResponse;
using Wrapper = envoy::service::discovery::v3::Resource;
using google::protobuf::internal::WireFormatLite;

constexpr std::string_view kWrapper = "envoy.service.discovery.v3.Resource";
constexpr int64_t kLongestTtl = 292LL * 365 * 24 * 3600;  // seconds that fit into a Duration

// Every resource has its name in field 1. None: these bytes are no message, or the name is no text.
std::optional<std::string> name_in(const std::string& body) {
  google::protobuf::io::CodedInputStream in(reinterpret_cast<const uint8_t*>(body.data()),
                                            static_cast<int>(body.size()));
  std::string name;
  while (const uint32_t tag = in.ReadTag()) {
    if (tag == WireFormatLite::MakeTag(1, WireFormatLite::WIRETYPE_LENGTH_DELIMITED)) {
      if (!WireFormatLite::ReadBytes(&in, &name)) {
        return std::nullopt;
      }
    } else if (!WireFormatLite::SkipField(&in, tag)) {
      return std::nullopt;
    }
  }
  if (!in.ConsumedEntireMessage() || !is_utf8(name)) {
    return std::nullopt;
  }
  return name;
}

std::string mismatch(std::string_view found, const Arrival& arrival) {
  return cat("a resource of type '", found, "' does not match the type of the response, ",
             names_of(arrival.type).type_url);
}

// Sets the body and, where the wrapper gave none, the name.
std::string take_body(google::protobuf::Any& body, const Arrival& arrival, config::Resource& out) {
  if (config::type_name(body.type_url()) != names_of(arrival.type).message) {
    return mismatch(body.type_url(), arrival);
  }
  if (body.value().size() > INT32_MAX) {
    return "a resource is longer than 2 GB";
  }
  out.type_url = std::move(*body.mutable_type_url());
  out.body = std::move(*body.mutable_value());
  if (out.name.empty()) {
    auto name = name_in(out.body);
    if (!name) {
      return cat("the bytes of a resource are no ", names_of(arrival.type).message);
    }
    out.name = std::move(*name);
  }
  return {};
}

std::string take_wrapper(Wrapper& wrapper, const Arrival& arrival, ArrivedResource& out) {
  config::Resource& resource = out.resource;
  resource.name = wrapper.name();
  resource.aliases.assign(wrapper.aliases().begin(), wrapper.aliases().end());
  out.own_version = wrapper.version();
  if (wrapper.has_ttl()) {
    const auto& ttl = wrapper.ttl();
    if (ttl.seconds() < 0 || ttl.seconds() > kLongestTtl || ttl.nanos() < 0 || ttl.nanos() > 999'999'999) {
      return cat("the ttl of resource '", resource.name, "' is no duration");
    }
    out.ttl = std::chrono::seconds(ttl.seconds()) + std::chrono::nanoseconds(ttl.nanos());
  }
  resource.has_body = wrapper.has_resource();
  return resource.has_body ? take_body(*wrapper.mutable_resource(), arrival, resource) : std::string();
}

}  // namespace

bool Arrival::only_heartbeats() const {
  return !resources.empty() && removed.empty() &&
         std::all_of(resources.begin(), resources.end(), [](const auto& resource) { return resource.heartbeat; });
}

std::string take_apart(DiscoveryResponse& response, Arrival& arrival) {
  arrival.complete = true;
  arrival.resources.reserve(static_cast<size_t>(response.resources_size()));
  for (auto& any : *response.mutable_resources()) {
    ArrivedResource& out = arrival.resources.emplace_back();
    std::string problem;
    if (config::type_name(any.type_url()) == kWrapper) {
      Wrapper wrapper;
      problem = wrapper.ParseFromString(any.value()) ? take_wrapper(wrapper, arrival, out)
                                                     : cat("the bytes of a resource are no ", kWrapper);
    } else {
      problem = take_body(any, arrival, out.resource);
    }
    if (!problem.empty()) {
      return problem;
    }
    out.resource.version = arrival.version;
  }
  return {};
}

std::string take_apart(DeltaDiscoveryResponse& response, Arrival& arrival) {
  std::set<std::string_view> names;
  arrival.resources.reserve(static_cast<size_t>(response.resources_size()));
  for (auto& wrapper : *response.mutable_resources()) {
    ArrivedResource& out = arrival.resources.emplace_back();
    if (std::string problem = take_wrapper(wrapper, arrival, out); !problem.empty()) {
      return problem;
    }
    out.resource.version = out.own_version;
    if (!names.insert(out.resource.name).second) {
      return cat("duplicate name ", out.resource.name, " found among added/updated resources");
    }
  }
  for (std::string& name : *response.mutable_removed_resources()) {
    const std::string& removed = arrival.removed.emplace_back(std::move(name));
    if (names.contains(removed)) {
      return cat("duplicate name ", removed, " found in the union of added+removed resources");
    }
  }
  std::set<std::string_view> gone;
  for (const std::string& name : arrival.removed) {
    if (!gone.insert(name).second) {
      return cat("duplicate name ", name, " found in the union of added+removed resources");
    }
  }
  return {};
}

std::string problem_in(const config::Resource& resource) {
  const std::string_view type = config::type_name(resource.type_url);
  const auto message = config::new_message(type);
  if (message == nullptr) {
    return cat("unknown type '", type, "'");
  }
  if (!message->ParsePartialFromString(resource.body)) {
    return cat("the bytes of '", resource.name, "' are no ", type);
  }
  config::Findings findings;
  const config::SourceMap map;
  config::validate(*message, map, findings);
  return findings.ok() ? std::string() : cat(resource.name, ": ", findings.errors().front().to_string());
}

}  // namespace sluice::xds
