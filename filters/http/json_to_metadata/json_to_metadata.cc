#include "filters/http/json_to_metadata/json_to_metadata.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/json.h"
#include "base/strings.h"
#include "format/json_text.h"
#include "proxy/exchange.h"

namespace sluice::filters::json_to_metadata {
namespace {

using http::End;
using http::Token;
using proxy::Exchange;
using proxy::Step;

constexpr std::string_view kDefaultSpace = "envoy.filters.http.json_to_metadata";
// Of a body that is collected: what a connection buffers by default.
constexpr uint64_t kMaxBody = 1024 * 1024;

// clang-format off
#define SLUICE_JSON_TO_METADATA_STATS(X) \
  X(kCounter, kSuccess, "success") X(kCounter, kMismatchedContentType, "mismatched_content_type") \
  X(kCounter, kNoBody, "no_body") X(kCounter, kInvalidJsonBody, "invalid_json_body")
// clang-format on
SLUICE_STAT_BLOCK(JsonStat, SLUICE_JSON_TO_METADATA_STATS)

// Thread: its worker's.
class JsonLocal final : public proxy::FilterLocal {
 public:
  explicit JsonLocal(const proxy::FilterPlace& place) : registry_(place.local.registry) {
    ids_[0] = registry_.add_block<JsonStat>("json_to_metadata.rq.");
    ids_[1] = registry_.add_block<JsonStat>("json_to_metadata.resp.");
    request = place.local.cells.block<JsonStat>(ids_[0]);
    response = place.local.cells.block<JsonStat>(ids_[1]);
  }
  ~JsonLocal() override {
    for (const stats::BlockId id : ids_) registry_.release_block(id);
  }
  stats::Block<JsonStat> request, response;

 private:
  stats::Registry& registry_;
  stats::BlockId ids_[2];
};

// None: the value is not of that type.
std::optional<Value> converted(const Value& value, Target::Type type) {
  switch (type) {
    case Target::Type::kValue:
      return value;
    case Target::Type::kText: {
      if (value.as_text() != nullptr) return value;
      // A boolean becomes a digit, as in Envoy.
      if (value.as_boolean() != nullptr) return Value(*value.as_boolean() ? "1" : "0");
      if (value.as_number() == nullptr) return std::nullopt;
      const double number = *value.as_number();
      std::string text;
      if (number == std::trunc(number)) {
        format::append_json_number(text, number);
      } else {
        text = std::to_string(number);  // six digits, as in Envoy
      }
      return Value(std::move(text));
    }
    case Target::Type::kNumber: {
      if (value.as_number() != nullptr) return value;
      if (value.as_boolean() != nullptr) return Value::number(*value.as_boolean() ? 1 : 0);
      if (value.as_text() == nullptr) return std::nullopt;
      const std::string& text = *value.as_text();
      double number = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
      return Value::number(number);
    }
  }
  return std::nullopt;
}

bool write(Exchange& exchange, const Target& target, const Value* found) {
  std::optional<Value> value = target.value       ? target.value
                               : found == nullptr ? std::nullopt
                                                  : converted(*found, target.type);
  if (!value) return false;
  Value::Map& space = exchange.metadata().space(target.space.empty() ? kDefaultSpace : std::string_view(target.space));
  if (!target.keeps_present || space.find(target.key) == nullptr) space.set(target.key, std::move(*value));
  return true;
}

void write_errors(Exchange& exchange, const Rules& rules) {
  for (const Rule& rule : rules.rules) {
    if (rule.error) (void)write(exchange, *rule.error, nullptr);
  }
}

void read_body(Exchange& exchange, const Rules& rules, std::string_view body, stats::Block<JsonStat>& stats) {
  if (body.empty()) {
    stats.inc(JsonStat::kNoBody);
    for (const Rule& rule : rules.rules) {
      if (rule.missing) (void)write(exchange, *rule.missing, nullptr);
    }
    return;
  }
  const std::optional<Value> json = parse_json(body);
  if (!json) {
    stats.inc(JsonStat::kInvalidJsonBody);
    write_errors(exchange, rules);
    return;
  }
  for (const Rule& rule : rules.rules) {
    const Value* at = &*json;
    for (const std::string& key : rule.path) {
      at = at == nullptr || at->as_map() == nullptr ? nullptr : at->as_map()->find(key);
    }
    // A value of its own is written whatever stands there, and, without on_missing, even where nothing does. Otherwise
    // only texts, numbers and booleans are values.
    const bool has_own = rule.present && rule.present->value;
    if (has_own && (at != nullptr || !rule.missing)) {
      (void)write(exchange, *rule.present, at);
    } else if (at == nullptr || at->is_null() || at->as_map() != nullptr || at->as_list() != nullptr) {
      if (rule.missing) (void)write(exchange, *rule.missing, nullptr);
    } else if (rule.present && !write(exchange, *rule.present, at) && rule.error) {
      (void)write(exchange, *rule.error, nullptr);
    }
  }
  stats.inc(JsonStat::kSuccess);
}

// Lives in the exchange's arena. Thread: its exchange's.
class JsonToMetadata final : public proxy::HttpFilter {
 public:
  JsonToMetadata(const JsonToMetadataFactory& factory, JsonLocal& local) : factory_(factory), local_(local) {}

  Step on_request_headers(Exchange& exchange, http::RequestHeaders& headers, End end) override {
    return on_headers(exchange, factory_.settings(exchange).request, headers.fields, end, local_.request,
                      collects_request_);
  }
  Step on_request_data(Exchange& exchange, buffer::Buffer& data, End) override {
    return on_body(exchange, factory_.settings(exchange).request, data, local_.request, collects_request_);
  }
  Step on_response_headers(Exchange& exchange, http::ResponseHeaders& headers, End end) override {
    return on_headers(exchange, factory_.settings(exchange).response, headers.fields, end, local_.response,
                      collects_response_);
  }
  Step on_response_data(Exchange& exchange, buffer::Buffer& data, End) override {
    return on_body(exchange, factory_.settings(exchange).response, data, local_.response, collects_response_);
  }

 private:
  static Step on_headers(Exchange& exchange, const Rules& rules, const http::HeaderMap& fields, End end,
                         stats::Block<JsonStat>& stats, bool& collects) {
    if (rules.rules.empty()) return Step::next();
    if (!rules.takes(fields.get(Token::kContentType))) {
      stats.inc(JsonStat::kMismatchedContentType);
      write_errors(exchange, rules);
      return Step::next();
    }
    if (end == End::kYes) {
      read_body(exchange, rules, {}, stats);
      return Step::next();
    }
    collects = true;
    return Step::collect(kMaxBody);
  }

  static Step on_body(Exchange& exchange, const Rules& rules, buffer::Buffer& data, stats::Block<JsonStat>& stats,
                      bool& collects) {
    if (collects) {
      collects = false;
      read_body(exchange, rules, data.linearize(data.size()), stats);
    }
    return Step::next();
  }

  const JsonToMetadataFactory& factory_;
  JsonLocal& local_;
  bool collects_request_ = false;
  bool collects_response_ = false;
};

}  // namespace

bool Rules::takes(std::string_view content_type) const {
  if (content_type.empty()) return no_content_type_too;
  return std::find(content_types.begin(), content_types.end(), content_type) != content_types.end() ||
         content_type_regex.matches(content_type);
}

std::unique_ptr<proxy::FilterLocal> JsonToMetadataFactory::on_worker(const proxy::FilterPlace& place) const {
  return std::make_unique<JsonLocal>(place);
}

proxy::HttpFilter* JsonToMetadataFactory::create(Exchange& exchange, proxy::FilterLocal* local) const {
  return exchange.arena().create<JsonToMetadata>(*this, static_cast<JsonLocal&>(*local));
}

uint8_t JsonToMetadataFactory::hooks() const { return proxy::hooks_of<JsonToMetadata>(); }

const Settings& JsonToMetadataFactory::settings(const Exchange& exchange) const {
  const auto* const route = exchange.settings_for<Settings>(name_);
  return route == nullptr ? *settings_ : *route;
}

}  // namespace sluice::filters::json_to_metadata
