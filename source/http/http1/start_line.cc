#include "http/http1/start_line.h"

#include <algorithm>

#include "base/strings.h"
#include "http/authority.h"
#include "http/chars.h"

namespace sluice::http::http1 {

namespace {

// What is served unless CodecOptions::allow_custom_methods says all, as in Envoy.
constexpr std::string_view kMethods[] = {
    "POST",    "ACL",    "BIND",      "CHECKOUT",   "CONNECT",    "COPY",   "DELETE", "GET",        "HEAD",
    "LINK",    "LOCK",   "MERGE",     "MKACTIVITY", "MKCALENDAR", "MKCOL",  "MOVE",   "MSEARCH",    "NOTIFY",
    "OPTIONS", "PATCH",  "PROPFIND",  "PROPPATCH",  "PURGE",      "PUT",    "QUERY",  "REBIND",     "REPORT",
    "SEARCH",  "SOURCE", "SUBSCRIBE", "TRACE",      "UNBIND",     "UNLINK", "UNLOCK", "UNSUBSCRIBE"};

bool is_method(std::string_view text) {
  return std::find(std::begin(kMethods), std::end(kMethods), text) != std::end(kMethods);
}

// RFC 9112 3 asks for 501 when a method is longer than any that we know.
constexpr size_t kLongestMethod = 64;

// Three words of which neither the second is a target nor the third a version of HTTP. A request line that was mangled
// does not look so.
bool is_other_protocol(std::string_view target, std::string_view version) {
  return !target.starts_with('/') && !equal_ignore_case(target.substr(0, 4), "http") && !version.empty() &&
         !equal_ignore_case(version.substr(0, 4), "HTTP") &&
         std::all_of(version.begin(), version.end(), [](char c) { return is_token_char(c) || c == '/'; });
}

Fault parse_request_version(std::string_view text, const CodecOptions& options, Protocol& out) {
  if (text == "HTTP/1.1") {
    out = Protocol::kHttp11;
    return Fault::kNone;
  }
  if (text.size() != 8 || !text.starts_with("HTTP/") || !is_digit(text[5]) || text[6] != '.' || !is_digit(text[7])) {
    return Fault::kMalformed;
  }
  if (text[5] > '1') {
    return Fault::kVersion;
  }
  if (text[5] == '0' || (text[7] == '0' && !options.accept_http_10)) {
    return Fault::kLowVersion;
  }
  // A higher minor version is spoken to as the highest that we know (RFC 9110 2.5).
  out = text[7] == '0' ? Protocol::kHttp10 : Protocol::kHttp11;
  return Fault::kNone;
}

// scheme "://" [ userinfo "@" ] host [ ":" port ] path-abempty [ "?" query ] (RFC 9112 3.2.2).
Fault parse_absolute(std::string_view target, RequestLine& out) {
  const size_t colon = target.find("://");
  if (colon == std::string_view::npos || !is_token(target.substr(0, colon))) {
    return Fault::kMalformed;
  }
  if (equal_ignore_case(target.substr(0, colon), "http")) {
    out.scheme = "http";
  } else if (equal_ignore_case(target.substr(0, colon), "https")) {
    out.scheme = "https";
  } else {
    return Fault::kScheme;
  }
  target.remove_prefix(colon + 3);
  const size_t end = target.find_first_of("/?#");
  std::string_view authority = target.substr(0, end);
  out.path = end == std::string_view::npos ? std::string_view() : target.substr(end);
  if (const size_t at = authority.find('@'); at != std::string_view::npos) {
    // RFC 3986 3.2.1. A '\\' there has others believe that the host ends before it.
    if (!std::all_of(authority.begin(), authority.begin() + static_cast<std::ptrdiff_t>(at),
                     [](char c) { return is_reg_name_char(c) || c == '%' || c == ':'; })) {
      return Fault::kUrl;
    }
    authority.remove_prefix(at + 1);  // user information is for nobody behind us
  }
  if (!is_authority(authority) || out.path.starts_with('#')) {
    return Fault::kUrl;
  }
  out.authority = authority;
  if (out.path.empty()) {
    out.path = out.method == "OPTIONS" ? "*" : "/";  // RFC 9112 3.2.4
  }
  return Fault::kNone;
}

Fault parse_target(std::string_view target, const CodecOptions& options, RequestLine& out) {
  if (!is_request_target(target, Hash::kRefused)) {
    if (!is_request_target(target)) {
      return Fault::kMalformed;
    }
    out.has_hash = true;
  }
  if (out.method == "CONNECT") {
    if (!is_authority(target, Port::kRequired)) {
      return Fault::kMalformed;
    }
    out.authority = target;
    return Fault::kNone;
  }
  if (target[0] == '/') {
    out.path = target;
    return Fault::kNone;
  }
  if (target == "*") {
    out.path = target;
    return out.method == "OPTIONS" ? Fault::kNone : Fault::kUrl;
  }
  const Fault fault = parse_absolute(target, out);
  if (fault == Fault::kNone && !options.allow_absolute_url) {
    out.path = target;  // the exchange refuses it
    out.authority = out.scheme = {};
  }
  return fault;
}

}  // namespace

Fault parse_request_line(std::string_view line, const CodecOptions& options, RequestLine& out) {
  constexpr std::string_view kUsualMethod = "GET ";
  constexpr std::string_view kUsualEnd = " HTTP/1.1";
  size_t method_end = kUsualMethod.size() - 1;
  Fault method_fault = Fault::kNone;
  if (!line.starts_with(kUsualMethod)) {
    method_end = line.find(' ');
    if (method_end == std::string_view::npos || !is_token(line.substr(0, method_end))) {
      return Fault::kMalformed;
    }
    if (method_end > kLongestMethod) {
      return Fault::kMethod;
    }
    if (!options.allow_custom_methods && !is_method(line.substr(0, method_end))) method_fault = Fault::kMalformed;
  }
  out.method = line.substr(0, method_end);
  line.remove_prefix(method_end + 1);
  if (line.ends_with(kUsualEnd)) {  // no target has a blank: what stands before it is one, or is malformed
    out.protocol = Protocol::kHttp11;
    return method_fault != Fault::kNone ? method_fault
                                        : parse_target(line.substr(0, line.size() - kUsualEnd.size()), options, out);
  }
  const size_t target_end = line.find(' ');
  if (target_end == std::string_view::npos) {
    return Fault::kMalformed;
  }
  const std::string_view target = line.substr(0, target_end);
  const std::string_view version = line.substr(target_end + 1);
  if (is_other_protocol(target, version)) {
    return Fault::kOtherProtocol;
  }
  // The version first: another protocol than HTTP has other methods too.
  const Fault fault = parse_request_version(version, options, out.protocol);
  if (fault != Fault::kNone) return fault;
  return method_fault != Fault::kNone ? method_fault : parse_target(target, options, out);
}

Fault parse_status_line(std::string_view line, StatusLine& out) {
  if (line.size() < 12 || !line.starts_with("HTTP/1.") || !is_digit(line[7]) || line[8] != ' ') {
    return Fault::kMalformed;
  }
  out.protocol = line[7] == '0' ? Protocol::kHttp10 : Protocol::kHttp11;
  if (!is_digit(line[9]) || !is_digit(line[10]) || !is_digit(line[11])) {
    return Fault::kMalformed;
  }
  out.status = static_cast<uint16_t>((line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0'));
  if (out.status < 100 || out.status > 599) {
    return Fault::kMalformed;
  }
  // The blank before an absent reason is forgotten by many servers.
  if (line.size() > 12 && line[12] != ' ') {
    return Fault::kMalformed;
  }
  out.reason = line.size() > 13 ? line.substr(13) : std::string_view();
  return Fault::kNone;
}

}  // namespace sluice::http::http1
