// HttpFilter: THE extension point. A filter overrides the hooks that it needs; hooks it does not override cost nothing.
//
// Requests pass the filters in the order of the configuration, responses in the reverse order. The last filter (the
// router) takes the request and answers it.
#pragma once

#include <cstdint>
#include <type_traits>

#include "buffer/buffer.h"
#include "format/facts.h"
#include "http/message.h"
#include "model/filter_plan.h"

namespace sluice::proxy {

class Exchange;

// What a hook says about the event it was given. Thread: any.
class [[nodiscard]] Step {
 public:
  // The next filter sees it.
  static Step next() { return Step(false); }
  // It goes no further: this filter answers the request, or keeps what it was given.
  static Step taken() { return Step(true); }
  bool is_taken() const { return taken_; }

 private:
  explicit Step(bool taken) : taken_(taken) {}
  bool taken_;
};

// Lives in the arena of its exchange. Thread: its exchange's.
class HttpFilter {
 public:
  virtual ~HttpFilter() = default;
  virtual Step on_request_headers(Exchange&, http::RequestHeaders&, http::End) { return Step::next(); }
  virtual Step on_request_data(Exchange&, buffer::Buffer&, http::End) { return Step::next(); }
  virtual Step on_request_trailers(Exchange&, http::HeaderMap&) { return Step::next(); }
  virtual Step on_response_headers(Exchange&, http::ResponseHeaders&, http::End) { return Step::next(); }
  virtual Step on_response_data(Exchange&, buffer::Buffer&, http::End) { return Step::next(); }
  virtual Step on_response_trailers(Exchange&, http::HeaderMap&) { return Step::next(); }
  // Exactly once, when the exchange ends, however it ends.
  virtual void on_complete(Exchange&, const format::Facts&) noexcept {}
};

// Which hooks a filter type overrides, as bits.
enum Hook : uint8_t {
  kRequestHeaders = 1,
  kRequestData = 2,
  kRequestTrailers = 4,
  kResponseHeaders = 8,
  kResponseData = 16,
  kResponseTrailers = 32,
  kComplete = 64,
};

// Computed at compile time: a hook that T does not override still has HttpFilter's type.
template <typename T>
constexpr uint8_t hooks_of() {
  uint8_t hooks = 0;
  if (!std::is_same_v<decltype(&T::on_request_headers), decltype(&HttpFilter::on_request_headers)>) hooks |= kRequestHeaders;
  if (!std::is_same_v<decltype(&T::on_request_data), decltype(&HttpFilter::on_request_data)>) hooks |= kRequestData;
  if (!std::is_same_v<decltype(&T::on_request_trailers), decltype(&HttpFilter::on_request_trailers)>) hooks |= kRequestTrailers;
  if (!std::is_same_v<decltype(&T::on_response_headers), decltype(&HttpFilter::on_response_headers)>) hooks |= kResponseHeaders;
  if (!std::is_same_v<decltype(&T::on_response_data), decltype(&HttpFilter::on_response_data)>) hooks |= kResponseData;
  if (!std::is_same_v<decltype(&T::on_response_trailers), decltype(&HttpFilter::on_response_trailers)>) hooks |= kResponseTrailers;
  if (!std::is_same_v<decltype(&T::on_complete), decltype(&HttpFilter::on_complete)>) hooks |= kComplete;
  return hooks;
}

// A filter's compiled configuration that makes its instances. Immutable, shared by all workers. Thread: any.
class HttpFilterFactory : public model::FilterConfig {
 public:
  // In exchange.arena().
  virtual HttpFilter* create(Exchange& exchange) const = 0;
  virtual uint8_t hooks() const = 0;
};

}  // namespace sluice::proxy
