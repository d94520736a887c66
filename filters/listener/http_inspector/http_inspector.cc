#include "filters/listener/http_inspector/http_inspector.h"

#include "http/chars.h"

namespace sluice::filters::http_inspector {

using proxy::Need;

namespace {
constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr size_t kLongestLine = 32 * 1024;
}  // namespace

Guess guess_protocol(std::string_view seen) {
  const size_t common = std::min(seen.size(), kPreface.size());
  if (seen.substr(0, common) == kPreface.substr(0, common)) {
    return common == kPreface.size() ? Guess::kHttp2 : Guess::kMore;
  }
  const size_t line_end = seen.find_first_of("\r\n");
  std::string_view line = seen.substr(0, line_end);
  const size_t method_end = line.find(' ');
  for (const char c : line.substr(0, method_end)) {
    if (!http::is_token_char(c)) {
      return Guess::kOther;
    }
  }
  if (line_end == std::string_view::npos) {
    return seen.size() < kLongestLine ? Guess::kMore : Guess::kOther;
  }
  const size_t version = line.rfind(' ');
  if (method_end == 0 || method_end == std::string_view::npos) {
    return Guess::kOther;
  }
  if (version == method_end) {
    return Guess::kHttp10;  // no version: what was there before it, which Envoy counts as 1.0
  }
  if (!line.substr(version + 1).starts_with("HTTP/")) {
    return Guess::kOther;
  }
  return line.substr(version + 1) == "HTTP/1.1" ? Guess::kHttp11 : Guess::kHttp10;
}

HttpInspector::HttpInspector(const proxy::ProxyLocal& proxy)
    : registry_(proxy.local.registry),
      stats_(registry_.add_block<HttpInspectorStat>("http_inspector.")),
      block_(proxy.local.cells.block<HttpInspectorStat>(stats_)) {}

HttpInspector::~HttpInspector() { registry_.release_block(stats_); }

Need HttpInspector::on_accept(proxy::Accepted& accepted) {
  const proxy::Found* known = accepted.known();
  if (known != nullptr && !known->transport_protocol.empty() && known->transport_protocol != "raw_buffer") {
    return Need::done();  // what is inside of TLS cannot be seen
  }
  return Need::bytes(1);
}

Need HttpInspector::on_bytes(proxy::Accepted& accepted, std::string_view seen) {
  switch (guess_protocol(seen)) {
    case Guess::kMore:
      return Need::bytes(seen.size() + 1);
    case Guess::kHttp10:
      block_.inc(HttpInspectorStat::kHttp10Found);
      accepted.found().application_protocols = {"http/1.0"};
      break;
    case Guess::kHttp11:
      block_.inc(HttpInspectorStat::kHttp11Found);
      accepted.found().application_protocols = {"http/1.1"};
      break;
    case Guess::kHttp2:
      block_.inc(HttpInspectorStat::kHttp2Found);
      accepted.found().application_protocols = {"h2c"};
      break;
    case Guess::kOther:
      block_.inc(HttpInspectorStat::kHttpNotFound);
      break;
  }
  return Need::done();
}

}  // namespace sluice::filters::http_inspector
