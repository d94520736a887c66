// buffer: a request goes on only when it is whole. It gets a content-length then, when it had none.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_filters/buffer_filter
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/filter.h"

namespace sluice::filters::buffer {

// What a route, virtual host or route table says. Thread: any (immutable).
class RouteSettings final : public model::FilterConfig {
 public:
  RouteSettings(bool off, uint32_t max_bytes) : disabled(off), max_request_bytes(max_bytes) {}
  bool disabled;
  uint32_t max_request_bytes;
};

// Thread: any (immutable).
class BufferFactory final : public proxy::HttpFilterFactory {
 public:
  BufferFactory(std::string_view name, uint32_t max_request_bytes) : name_(name), max_request_bytes_(max_request_bytes) {}
  proxy::HttpFilter* create(proxy::Exchange& exchange, proxy::FilterLocal*) const override;
  uint8_t hooks() const override;
  // How many bytes a request of that exchange may have; none when it is not held.
  std::optional<uint32_t> limit(const proxy::Exchange& exchange) const;

 private:
  std::string name_;
  uint32_t max_request_bytes_;
};

}  // namespace sluice::filters::buffer
