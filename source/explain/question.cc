#include "explain/question.h"

#include "base/strings.h"
#include "http/path.h"
#include "net/address_text.h"

namespace sluice::explain {
namespace {

// An outsider, by an address that is nobody's (RFC 5737).
constexpr std::string_view kSomebody = "192.0.2.1";
constexpr uint16_t kSomePort = 50000;

Result<net::Address> parse_source(std::string_view text) {
  if (auto address = net::parse_address(text, kSomePort)) return *std::move(address);
  return Error{cat("--source: '", text, "' is not an IP address, with or without a port")};
}

Result<void> parse_request(std::string_view text, Question& out) {
  const size_t blank = text.find(' ');
  out.method = blank == std::string_view::npos ? "GET" : std::string(text.substr(0, blank));
  std::string_view url = blank == std::string_view::npos ? text : text.substr(blank + 1);
  const size_t colon = url.find("://");
  out.scheme = colon == std::string_view::npos ? "" : std::string(url.substr(0, colon));
  if (out.scheme != "http" && out.scheme != "https") {
    return Error{cat("'", url, "' is not a URL that begins with http:// or https://")};
  }
  url.remove_prefix(colon + 3);
  const size_t slash = url.find_first_of("/?");
  out.authority = url.substr(0, slash);
  out.path = slash == std::string_view::npos ? "/" : std::string(url.substr(slash));
  if (out.path.starts_with('?')) out.path.insert(0, "/");
  const http::HostPort parts = http::split_host(out.authority);
  if (parts.host.empty()) return Error{"the URL has no host"};
  out.port_given = parts.port.data() != nullptr;
  const auto port = parse_number<uint16_t>(parts.port);
  if (out.port_given && !port) return Error{cat("the port of '", out.authority, "' is not a number")};
  out.port = port.value_or(out.tls() ? 443 : 80);
  if (out.tls() && !net::Address::from_ip(parts.host, 0)) out.server_name = to_lower(parts.host);
  return {};
}

}  // namespace

Result<Question> parse_question(const std::vector<std::string>& words) {
  Question out;
  out.source = *net::Address::from_ip(kSomebody, kSomePort);
  std::string request, sni;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const auto value = [&]() -> const std::string* { return i + 1 < words.size() ? &words[++i] : nullptr; };
    if (word == "--json") {
      out.json = true;
    } else if (word == "-c" || word == "-H" || word == "--source" || word == "--sni" || word == "--listener") {
      const std::string* given = value();
      if (given == nullptr) return Error{cat(word, " needs a value")};
      if (word == "-c") out.config_path = *given;
      if (word == "--sni") sni = to_lower(*given);
      if (word == "--listener") out.listener = *given;
      if (word == "--source") {
        auto source = parse_source(*given);
        if (!source) return Error{source.error()};
        out.source = *source;
      }
      if (word == "-H") {
        const size_t colon = given->find(':', 1);
        if (colon == std::string::npos) return Error{cat("-H: '", *given, "' is not NAME: VALUE")};
        out.headers.emplace_back(given->substr(0, colon), trim(std::string_view(*given).substr(colon + 1)));
      }
    } else if (word.starts_with("-") || !request.empty()) {
      return Error{cat("'", word, "' was not expected\n", kUsage)};
    } else {
      request = word;
    }
  }
  if (out.config_path.empty() || request.empty()) return Error{std::string(kUsage)};
  if (auto parsed = parse_request(request, out); !parsed) return Error{parsed.error()};
  if (!sni.empty()) {
    if (!out.tls()) return Error{"--sni needs a URL of https"};
    out.server_name = sni;
  }
  return out;
}

}  // namespace sluice::explain
