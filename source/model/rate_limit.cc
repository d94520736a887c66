#include "model/rate_limit.h"

#include <algorithm>

#include "base/strings.h"
#include "http/path.h"

namespace sluice::model {
namespace {

using Action = RateLimitAction;

std::string_view query_of(std::string_view path) {
  const size_t mark = path.find('?');
  return mark == path.npos ? std::string_view() : path.substr(mark + 1);
}

std::string_view text_of(const Action::Text& text, const DescriptorInputs& in) {
  const std::string value = text.value ? text.value->format(in.facts) : std::string();
  return value.empty() ? std::string_view(text.fallback) : in.arena.copy(value);
}

// What one action came to.
struct Found {
  enum class Kind : uint8_t { kEntry, kSkipped, kNothing };
  Kind kind = Kind::kNothing;
  std::string_view value = {};

  static Found entry(std::string_view value) { return {Kind::kEntry, value}; }
  static Found skipped() { return {Kind::kSkipped}; }
  static Found nothing() { return {}; }
};

Found apply(const Action::Destination&, const DescriptorInputs& in) {
  return in.cluster.empty() ? Found::nothing() : Found::entry(in.cluster);
}
Found apply(const Action::Header& header, const DescriptorInputs& in) {
  const std::string_view value = in.request.get(header.name);
  if (value.data() == nullptr) {
    return header.skip_if_absent ? Found::skipped() : Found::nothing();
  }
  return Found::entry(value);
}
Found apply(const Action::Query& query, const DescriptorInputs& in) {
  const auto value = http::query_parameter(query_of(in.request.path), query.name);
  if (!value) {
    return query.skip_if_absent ? Found::skipped() : Found::nothing();
  }
  return Found::entry(*value);
}
Found apply(const Action::Remote&, const DescriptorInputs& in) {
  return in.facts.remote != nullptr && in.facts.remote->is_ip()
             ? Found::entry(in.arena.copy(in.facts.remote->ip_to_string()))
             : Found::nothing();
}
Found apply(const Action::MaskedRemote& masked, const DescriptorInputs& in) {
  const net::Address* const remote = in.facts.remote;
  if (remote == nullptr || !remote->is_ip()) {
    return Found::nothing();
  }
  const uint32_t bits = remote->kind() == net::AddressKind::kIp4 ? masked.v4_bits : masked.v6_bits;
  return Found::entry(in.arena.copy(cat(remote->masked(bits).ip_to_string(), "/", bits)));
}
Found apply(const Action::Text& text, const DescriptorInputs& in) {
  const std::string_view value = text_of(text, in);
  return value.empty() ? Found::nothing() : Found::entry(value);
}
Found apply(const Action::HeaderMatch& match, const DescriptorInputs& in) {
  const bool holds = std::all_of(match.headers.begin(), match.headers.end(),
                                 [&](const http::HeaderMatcher& one) { return one.matches(in.request); });
  return holds == match.expected ? apply(match.text, in) : Found::nothing();
}
Found apply(const Action::QueryMatch& match, const DescriptorInputs& in) {
  const std::string_view query = query_of(in.request.path);
  const bool holds = std::all_of(match.parameters.begin(), match.parameters.end(),
                                 [&](const QueryMatcher& one) { return one.holds(query); });
  return holds == match.expected ? apply(match.text, in) : Found::nothing();
}
Found apply(const Action::OfMetadata& action, const DescriptorInputs& in) {
  const Metadata* const metadata =
      action.source == Action::OfMetadata::Source::kRoute ? in.facts.route_metadata : in.facts.metadata;
  const Value* const value = metadata == nullptr ? nullptr : metadata->find(action.space, action.path);
  if (value != nullptr && value->as_text() != nullptr && !value->as_text()->empty()) {
    return Found::entry(in.arena.copy(*value->as_text()));
  }
  if (!action.fallback.empty()) {
    return Found::entry(action.fallback);
  }
  return action.skip_if_absent ? Found::skipped() : Found::nothing();
}

}  // namespace

std::optional<Descriptor> RateLimit::describe(const DescriptorInputs& inputs) const {
  Descriptor out;
  out.hits = hits;
  if (hits_format) {
    out.hits = parse_number<uint64_t>(hits_format->format(inputs.facts)).value_or(1);
  }
  for (const Action& action : actions) {
    const Found found = std::visit([&](const auto& what) { return apply(what, inputs); }, action.what);
    if (found.kind == Found::Kind::kNothing) {
      return std::nullopt;
    }
    if (found.kind == Found::Kind::kEntry) {
      out.entries.push_back({action.key, found.value});
    }
  }
  return out.entries.empty() ? std::nullopt : std::optional(std::move(out));
}

void describe(const RateLimits& limits, uint32_t stage, const DescriptorInputs& inputs, std::vector<Descriptor>& out) {
  for (const RateLimit& limit : limits) {
    if (limit.stage == stage && !limit.on_stream_done) {
      if (auto descriptor = limit.describe(inputs)) {
        out.push_back(std::move(*descriptor));
      }
    }
  }
}

}  // namespace sluice::model
