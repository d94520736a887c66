#include "filters/http/header_to_metadata/header_to_metadata.h"

#include <charconv>

#include "base/base64.h"
#include "filters/http/header_to_metadata/value_message.h"
#include "http/cookies.h"
#include "proxy/exchange.h"

namespace sluice::filters::header_to_metadata {
namespace {

using proxy::Exchange;
using proxy::Step;

constexpr std::string_view kDefaultSpace = "envoy.filters.http.header_to_metadata";
constexpr size_t kMaxValueBytes = 8 * 1024;

void write(Exchange& exchange, const Target& target, std::string value) {
  if (value.empty() || value.size() > kMaxValueBytes) return;
  if (target.base64) {
    auto decoded = decode_base64(value);
    if (!decoded) return;
    value = std::move(*decoded);
  }
  Value out;
  switch (target.type) {
    case Target::Type::kText:
      out = Value(std::move(value));
      break;
    case Target::Type::kNumber: {
      double number = 0;
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
      if (error != std::errc() || end != value.data() + value.size()) return;
      out = Value::number(number);
      break;
    }
    case Target::Type::kProtobufValue: {
      auto parsed = parse_value_message(value);
      if (!parsed) return;
      out = std::move(*parsed);
      break;
    }
  }
  exchange.metadata().set(target.space.empty() ? kDefaultSpace : std::string_view(target.space), target.key,
                          std::move(out));
}

std::string text_for(const Target& target, std::string_view found) {
  if (!target.value.empty()) return target.value;
  std::string text(found);
  if (target.rewrite != nullptr) target.rewrite->pattern.replace_all(text, target.rewrite->substitution);
  return text;
}

// Of several lines all, joined with ','. None: there is no such header.
std::optional<std::string> value_of(const Rule& rule, const http::HeaderMap& fields, std::string_view pseudo) {
  if (!rule.cookie.empty()) {
    const auto found = http::find_cookie(fields, rule.cookie);
    return found && !found->empty() ? std::optional<std::string>(*found) : std::nullopt;
  }
  if (pseudo.data() != nullptr) return std::string(pseudo);
  std::optional<std::string> out;
  for (const http::HeaderField& field : fields) {
    if (field.name() != rule.header) continue;
    if (out) {
      *out += ',';
      *out += field.value();
    } else {
      out = std::string(field.value());
    }
  }
  return out;
}

template <typename Message>
void apply(const std::vector<Rule>& rules, Exchange& exchange, Message& message) {
  for (const Rule& rule : rules) {
    const bool is_pseudo = rule.header.starts_with(':') || rule.header == "host";
    const auto found = value_of(rule, message.fields, is_pseudo ? message.get(rule.header) : std::string_view());
    if (!found) {
      if (rule.missing) write(exchange, *rule.missing, rule.missing->value);
      continue;
    }
    if (rule.present) write(exchange, *rule.present, text_for(*rule.present, *found));
    if (rule.remove && rule.cookie.empty() && !is_pseudo) message.fields.remove(rule.header);
  }
}

// Lives in the exchange's arena. Thread: its exchange's.
class HeaderToMetadata final : public proxy::HttpFilter {
 public:
  explicit HeaderToMetadata(const HeaderToMetadataFactory& factory) : factory_(factory) {}
  Step on_request_headers(Exchange& exchange, http::RequestHeaders& headers, http::End) override {
    apply(factory_.rules(exchange).request, exchange, headers);
    return Step::next();
  }
  Step on_response_headers(Exchange& exchange, http::ResponseHeaders& headers, http::End) override {
    apply(factory_.rules(exchange).response, exchange, headers);
    return Step::next();
  }

 private:
  const HeaderToMetadataFactory& factory_;
};

}  // namespace

proxy::HttpFilter* HeaderToMetadataFactory::create(Exchange& exchange, proxy::FilterLocal*) const {
  return exchange.arena().create<HeaderToMetadata>(*this);
}

uint8_t HeaderToMetadataFactory::hooks() const { return proxy::hooks_of<HeaderToMetadata>(); }

const Rules& HeaderToMetadataFactory::rules(const Exchange& exchange) const {
  const auto* const route = exchange.settings_for<Rules>(name_);
  return route == nullptr ? *rules_ : *route;
}

}  // namespace sluice::filters::header_to_metadata
