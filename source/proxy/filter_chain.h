// FilterChain: the loop that walks the filters of one exchange.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "http/message.h"
#include "model/filter_plan.h"
#include "proxy/filter.h"

namespace sluice::proxy {

// Visits only filters that have the hook of the event. Part of its exchange. Thread: its exchange's.
class FilterChain {
 public:
  // Makes the instances of the filters that are in force for the exchange's route, in its arena.
  void build(Exchange& exchange, std::span<const model::FilterPlan> filters);
  bool built() const { return filters_ != nullptr; }

  // Towards the upstream. An event stops when a filter took it or the exchange was answered.
  void request_headers(Exchange& exchange, http::RequestHeaders& headers, http::End end);
  void request_data(Exchange& exchange, buffer::Buffer& data, http::End end);
  void request_trailers(Exchange& exchange, http::HeaderMap& trailers);
  // Towards the client, last filter first. False: a filter took it.
  [[nodiscard]] bool response_headers(Exchange& exchange, http::ResponseHeaders& headers, http::End end);
  [[nodiscard]] bool response_data(Exchange& exchange, buffer::Buffer& data, http::End end);
  [[nodiscard]] bool response_trailers(Exchange& exchange, http::HeaderMap& trailers);

  void complete(Exchange& exchange, const format::Facts& facts);

 private:
  struct Entry {
    HttpFilter* filter;
    uint8_t hooks;
  };

  Entry* filters_ = nullptr;
  uint32_t size_ = 0;
  uint8_t hooks_ = 0;  // of all filters together
};

}  // namespace sluice::proxy
