// HttpInspector: tells HTTP/1.0, HTTP/1.1 and HTTP/2 (by its preface) from everything else. It only looks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "proxy/listener_filter.h"
#include "stats/stats.h"

namespace sluice::filters::http_inspector {

// Prefix "http_inspector.".
// clang-format off
#define SLUICE_HTTP_INSPECTOR_STATS(X) \
  X(kCounter, kHttp10Found, "http10_found") X(kCounter, kHttp11Found, "http11_found") \
  X(kCounter, kHttp2Found, "http2_found") X(kCounter, kHttpNotFound, "http_not_found") \
  X(kCounter, kReadError, "read_error")
// clang-format on
SLUICE_STAT_BLOCK(HttpInspectorStat, SLUICE_HTTP_INSPECTOR_STATS)

enum class Guess : uint8_t { kMore, kHttp10, kHttp11, kHttp2, kOther };
// By the first line. Any method will do; a version that is not 1.1 counts as 1.0.
Guess guess_protocol(std::string_view seen);

// Owned by its Listener. Thread: worker.
class HttpInspector final : public proxy::ListenerFilter {
 public:
  explicit HttpInspector(const proxy::ProxyLocal& proxy);
  ~HttpInspector() override;

  proxy::Need on_accept(proxy::Accepted& accepted) override;
  proxy::Need on_bytes(proxy::Accepted& accepted, std::string_view seen) override;

 private:
  stats::Registry& registry_;
  stats::BlockId stats_;
  stats::Block<HttpInspectorStat> block_;
};

}  // namespace sluice::filters::http_inspector
