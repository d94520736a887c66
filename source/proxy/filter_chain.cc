#include "proxy/filter_chain.h"

#include "proxy/exchange.h"

namespace sluice::proxy {

namespace {
// The override of the most specific level that has one for this filter: weighted cluster, route, virtual host, table.
const model::FilterOverride* find_override(const Exchange& exchange, const std::string& name) {
  const model::FilterOverride* found = nullptr;
  exchange.for_each_override_level([&](const model::FilterOverrides& level) {
    for (const model::FilterOverride& one : level) {
      if (found == nullptr && one.filter_name == name) {
        found = &one;
      }
    }
  });
  return found;
}
}  // namespace

void FilterChain::build(Exchange& exchange, std::span<const model::FilterPlan> filters) {
  filters_ = static_cast<Entry*>(exchange.arena().allocate(sizeof(Entry) * (filters.size() + 1), alignof(Entry)));
  const bool overrides = exchange.has_overrides();
  for (const model::FilterPlan& plan : filters) {
    bool disabled = plan.disabled;
    if (overrides) {
      if (const model::FilterOverride* found = find_override(exchange, plan.name)) {
        disabled = found->disabled;
      }
    }
    if (disabled) {
      continue;
    }
    const auto& factory = static_cast<const HttpFilterFactory&>(*plan.config);
    filters_[size_++] = {factory.create(exchange), factory.hooks()};
    hooks_ |= factory.hooks();
  }
}

void FilterChain::request_headers(Exchange& exchange, http::RequestHeaders& headers, http::End end) {
  for (uint32_t i = 0; i < size_; ++i) {
    if ((filters_[i].hooks & kRequestHeaders) != 0 &&
        (filters_[i].filter->on_request_headers(exchange, headers, end).is_taken() || exchange.answered_locally())) {
      return;
    }
  }
}

void FilterChain::request_data(Exchange& exchange, buffer::Buffer& data, http::End end) {
  if ((hooks_ & kRequestData) == 0) {
    return;
  }
  for (uint32_t i = 0; i < size_; ++i) {
    if ((filters_[i].hooks & kRequestData) != 0 &&
        (filters_[i].filter->on_request_data(exchange, data, end).is_taken() || exchange.answered_locally())) {
      return;
    }
  }
}

void FilterChain::request_trailers(Exchange& exchange, http::HeaderMap& trailers) {
  if ((hooks_ & kRequestTrailers) == 0) {
    return;
  }
  for (uint32_t i = 0; i < size_; ++i) {
    if ((filters_[i].hooks & kRequestTrailers) != 0 &&
        (filters_[i].filter->on_request_trailers(exchange, trailers).is_taken() || exchange.answered_locally())) {
      return;
    }
  }
}

bool FilterChain::response_headers(Exchange& exchange, http::ResponseHeaders& headers, http::End end) {
  if ((hooks_ & kResponseHeaders) != 0) {
    for (uint32_t i = size_; i-- > 0;) {
      if ((filters_[i].hooks & kResponseHeaders) != 0 &&
          filters_[i].filter->on_response_headers(exchange, headers, end).is_taken()) {
        return false;
      }
    }
  }
  return true;
}

bool FilterChain::response_data(Exchange& exchange, buffer::Buffer& data, http::End end) {
  if ((hooks_ & kResponseData) != 0) {
    for (uint32_t i = size_; i-- > 0;) {
      if ((filters_[i].hooks & kResponseData) != 0 &&
          filters_[i].filter->on_response_data(exchange, data, end).is_taken()) {
        return false;
      }
    }
  }
  return true;
}

bool FilterChain::response_trailers(Exchange& exchange, http::HeaderMap& trailers) {
  if ((hooks_ & kResponseTrailers) != 0) {
    for (uint32_t i = size_; i-- > 0;) {
      if ((filters_[i].hooks & kResponseTrailers) != 0 &&
          filters_[i].filter->on_response_trailers(exchange, trailers).is_taken()) {
        return false;
      }
    }
  }
  return true;
}

void FilterChain::complete(Exchange& exchange, const format::Facts& facts) {
  if ((hooks_ & kComplete) == 0) {
    return;
  }
  for (uint32_t i = 0; i < size_; ++i) {
    if ((filters_[i].hooks & kComplete) != 0) {
      filters_[i].filter->on_complete(exchange, facts);
    }
  }
}

}  // namespace sluice::proxy
