#include "proxy/access_log/filters.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "format/grpc_status.h"

namespace sluice::proxy {
namespace {

// The first eight digits of a request id that is a UUID, as a number.
std::optional<uint64_t> number_of_request_id(const format::Facts& facts) {
  if (facts.request == nullptr) {
    return std::nullopt;
  }
  const std::string_view id = facts.request->fields.get(http::Token::kXRequestId);
  constexpr size_t kDigits = 8;
  uint64_t number = 0;
  if (id.size() < kDigits || std::from_chars(id.data(), id.data() + kDigits, number, 16).ptr != id.data() + kDigits) {
    return std::nullopt;
  }
  return number;
}

}  // namespace

bool Comparison::holds(uint64_t value) const {
  switch (op) {
    case Op::kEqual:
      return value == bound.now();
    case Op::kAtLeast:
      return value >= bound.now();
    case Op::kAtMost:
      return value <= bound.now();
    case Op::kNotEqual:
      return value != bound.now();
  }
  return false;
}

bool DurationFilter::passes(const format::Facts& facts) const {
  return facts.end != format::kUnset && comparison_.holds(static_cast<uint64_t>(to_ms(facts.end - facts.start)));
}

bool RuntimeFilter::passes(const format::Facts& facts) const {
  if (randomness_ == Randomness::kOfRequestId) {
    if (const auto number = number_of_request_id(facts)) {
      return share_.includes(*number);
    }
  }
  return share_.includes(facts.random == nullptr ? 0 : facts.random->next());
}

bool AndFilter::passes(const format::Facts& facts) const {
  return std::all_of(filters_.begin(), filters_.end(), [&](const FilterPtr& filter) { return filter->passes(facts); });
}

bool OrFilter::passes(const format::Facts& facts) const {
  return std::any_of(filters_.begin(), filters_.end(), [&](const FilterPtr& filter) { return filter->passes(facts); });
}

// Without a request there are no headers: only "absent" holds.
bool HeaderFilter::passes(const format::Facts& facts) const {
  if (facts.request != nullptr) {
    return matcher_.matches(*facts.request);
  }
  return matcher_.inverted() && std::holds_alternative<http::HeaderMatcher::Present>(matcher_.condition());
}

bool GrpcStatusFilter::passes(const format::Facts& facts) const {
  return statuses_.contains(format::grpc_status_or_mapped(facts)) == (listed_ == Listed::kPass);
}

bool MetadataFilter::passes(const format::Facts& facts) const {
  if (!matcher_) {
    return true;
  }
  const Value* value = facts.metadata == nullptr ? nullptr : facts.metadata->find(matcher_->space, matcher_->path);
  if (value == nullptr) {
    return if_missing_ == IfMissing::kPasses;
  }
  return matcher_->value.matches(value) != matcher_->invert;
}

}  // namespace sluice::proxy
