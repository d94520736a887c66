#include "filters/http/buffer/buffer.h"

#include <charconv>

#include "proxy/exchange.h"

namespace sluice::filters::buffer {
namespace {

using http::End;
using http::Token;
using proxy::Exchange;
using proxy::Step;

// Lives in the exchange's arena. Thread: its exchange's.
class BufferFilter final : public proxy::HttpFilter {
 public:
  explicit BufferFilter(const BufferFactory& factory) : factory_(factory) {}

  Step on_request_headers(Exchange& exchange, http::RequestHeaders&, End end) override {
    const std::optional<uint32_t> limit = factory_.limit(exchange);
    if (!limit || end == End::kYes || exchange.upgrade_asked()) {
      return Step::next();
    }
    holds_ = true;
    return Step::collect(*limit);
  }

  Step on_request_data(Exchange& exchange, ::sluice::buffer::Buffer& body, End) override {
    http::HeaderMap& fields = exchange.request()->fields;
    if (holds_ && !fields.has(Token::kContentLength)) {  // it is whole: only trailers may follow
      char digits[20];
      const auto last = std::to_chars(digits, digits + sizeof(digits), body.size()).ptr;
      fields.set_copy(Token::kContentLength, {digits, static_cast<size_t>(last - digits)});
    }
    holds_ = false;
    return Step::next();
  }

 private:
  const BufferFactory& factory_;
  bool holds_ = false;
};

}  // namespace

proxy::HttpFilter* BufferFactory::create(Exchange& exchange, proxy::FilterLocal*) const {
  return exchange.arena().create<BufferFilter>(*this);
}

uint8_t BufferFactory::hooks() const { return proxy::hooks_of<BufferFilter>(); }

std::optional<uint32_t> BufferFactory::limit(const Exchange& exchange) const {
  const auto* const route = exchange.settings_for<RouteSettings>(name_);
  if (route == nullptr) {
    return max_request_bytes_;
  }
  return route->disabled ? std::nullopt : std::optional(route->max_request_bytes);
}

}  // namespace sluice::filters::buffer
