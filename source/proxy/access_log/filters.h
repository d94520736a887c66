// The kinds of access-log filters.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/api-v3/config/accesslog/v3/accesslog.proto
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "cel/expression.h"
#include "format/facts.h"
#include "http/header_matcher.h"
#include "match/value_matcher.h"
#include "model/access_log_plan.h"
#include "model/route_match.h"

namespace sluice::proxy {

using FilterPtr = std::shared_ptr<const model::AccessLogFilter>;

// A number against a bound.
struct Comparison {
  enum class Op : uint8_t { kEqual, kAtLeast, kAtMost, kNotEqual };
  Op op = Op::kEqual;
  runtime::Number bound;

  bool holds(uint64_t value) const;
};

// The response code; 0 when no response was started. Thread: any.
class StatusCodeFilter final : public model::AccessLogFilter {
 public:
  explicit StatusCodeFilter(Comparison comparison) : comparison_(comparison) {}
  bool passes(const format::Facts& facts) const override { return comparison_.holds(facts.response_code); }

 private:
  Comparison comparison_;
};

// The whole duration in ms; nothing passes before the end. Thread: any.
class DurationFilter final : public model::AccessLogFilter {
 public:
  explicit DurationFilter(Comparison comparison) : comparison_(comparison) {}
  bool passes(const format::Facts& facts) const override;

 private:
  Comparison comparison_;
};

// Requests that the health_check filter did not take. Thread: any.
class NotHealthCheckFilter final : public model::AccessLogFilter {
 public:
  bool passes(const format::Facts& facts) const override { return !facts.health_check; }
};

// Traced requests. Thread: any.
class TraceableFilter final : public model::AccessLogFilter {
 public:
  bool passes(const format::Facts& facts) const override { return facts.traced; }
};

// A share of the requests. By the request id, so that all proxies on its way choose the same ones, unless there is none
// or independent randomness is asked for. Thread: any.
class RuntimeFilter final : public model::AccessLogFilter {
 public:
  enum class Randomness : uint8_t { kOfRequestId, kIndependent };
  RuntimeFilter(model::Fraction share, Randomness randomness) : share_(std::move(share)), randomness_(randomness) {}
  bool passes(const format::Facts& facts) const override;

 private:
  model::Fraction share_;
  Randomness randomness_;
};

// All of them. Thread: any.
class AndFilter final : public model::AccessLogFilter {
 public:
  explicit AndFilter(std::vector<FilterPtr> filters) : filters_(std::move(filters)) {}
  bool passes(const format::Facts& facts) const override;

 private:
  std::vector<FilterPtr> filters_;
};

// One of them at least. Thread: any.
class OrFilter final : public model::AccessLogFilter {
 public:
  explicit OrFilter(std::vector<FilterPtr> filters) : filters_(std::move(filters)) {}
  bool passes(const format::Facts& facts) const override;

 private:
  std::vector<FilterPtr> filters_;
};

// A request header. Thread: any.
class HeaderFilter final : public model::AccessLogFilter {
 public:
  explicit HeaderFilter(http::HeaderMatcher matcher) : matcher_(std::move(matcher)) {}
  bool passes(const format::Facts& facts) const override;

 private:
  http::HeaderMatcher matcher_;
};

// One of these response flags; any flag at all when none is named. Thread: any.
class ResponseFlagFilter final : public model::AccessLogFilter {
 public:
  explicit ResponseFlagFilter(format::Flags flags) : flags_(flags) {}
  bool passes(const format::Facts& facts) const override {
    return flags_.any() ? flags_.shares_any(facts.flags) : facts.flags.any();
  }

 private:
  format::Flags flags_;
};

// A value of the dynamic metadata. Thread: any.
class MetadataFilter final : public model::AccessLogFilter {
 public:
  // A request without the value passes when `if_missing` says so; without a matcher all do.
  enum class IfMissing : uint8_t { kFails, kPasses };
  MetadataFilter(std::optional<match::MetadataMatcher> matcher, IfMissing if_missing)
      : matcher_(std::move(matcher)), if_missing_(if_missing) {}
  bool passes(const format::Facts& facts) const override;

 private:
  std::optional<match::MetadataMatcher> matcher_;
  IfMissing if_missing_;
};

enum class Listed : uint8_t { kPass, kAreExcluded };

// The gRPC status, mapped from the HTTP code where none was sent. Thread: any.
class GrpcStatusFilter final : public model::AccessLogFilter {
 public:
  GrpcStatusFilter(std::set<uint32_t> statuses, Listed listed) : statuses_(std::move(statuses)), listed_(listed) {}
  bool passes(const format::Facts& facts) const override;

 private:
  std::set<uint32_t> statuses_;
  Listed listed_;
};

// Why the line is written. Thread: any.
class LogTypeFilter final : public model::AccessLogFilter {
 public:
  LogTypeFilter(std::set<format::LogType> types, Listed listed) : types_(std::move(types)), listed_(listed) {}
  bool passes(const format::Facts& facts) const override {
    return types_.contains(facts.log_type) == (listed_ == Listed::kPass);
  }

 private:
  std::set<format::LogType> types_;
  Listed listed_;
};

// What an expression says is so. Thread: any.
class ExpressionFilter final : public model::AccessLogFilter {
 public:
  explicit ExpressionFilter(cel::Expression expression) : expression_(std::move(expression)) {}
  bool passes(const format::Facts& facts) const override { return expression_.holds(facts); }

 private:
  cel::Expression expression_;
};

}  // namespace sluice::proxy
