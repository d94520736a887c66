#include "http/message.h"

#include <array>

namespace sluice::http {

namespace {

constexpr std::array<char, 3000> kStatusTexts = [] {
  std::array<char, 3000> texts{};
  for (size_t i = 0; i < 1000; ++i) {
    texts[3 * i] = static_cast<char>('0' + i / 100);
    texts[3 * i + 1] = static_cast<char>('0' + i / 10 % 10);
    texts[3 * i + 2] = static_cast<char>('0' + i % 10);
  }
  return texts;
}();

// An empty text means that the message has no such part.
std::string_view unless_empty(std::string_view text) { return text.empty() ? std::string_view() : text; }

}  // namespace

std::string_view name_of(Protocol protocol) {
  switch (protocol) {
    case Protocol::kHttp10: return "HTTP/1.0";
    case Protocol::kHttp11: return "HTTP/1.1";
    case Protocol::kHttp2: return "HTTP/2";
  }
  return {};
}

std::string_view RequestHeaders::get(std::string_view name) const {
  if (name.empty() || (name[0] != ':' && name != "host")) {
    return fields.get(name);
  }
  if (name == ":authority" || name == "host") return unless_empty(authority);
  if (name == ":path") return unless_empty(path);
  if (name == ":method") return unless_empty(method);
  if (name == ":scheme") return unless_empty(scheme);
  return {};
}

std::string_view ResponseHeaders::get(std::string_view name) const {
  return name == ":status" && status != 0 ? status_text(status) : fields.get(name);
}

std::string_view status_text(uint16_t status) {
  return status < 1000 ? std::string_view(kStatusTexts.data() + 3 * status, 3) : std::string_view("999");
}

// The IANA registry, with the phrases of RFC 9110 15.
std::string_view reason_phrase(uint16_t status) {
  switch (status) {
    case 100: return "Continue";
    case 101: return "Switching Protocols";
    case 102: return "Processing";
    case 103: return "Early Hints";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 203: return "Non-Authoritative Information";
    case 204: return "No Content";
    case 205: return "Reset Content";
    case 206: return "Partial Content";
    case 207: return "Multi-Status";
    case 208: return "Already Reported";
    case 226: return "IM Used";
    case 300: return "Multiple Choices";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 305: return "Use Proxy";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 402: return "Payment Required";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 407: return "Proxy Authentication Required";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 413: return "Payload Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 416: return "Range Not Satisfiable";
    case 417: return "Expectation Failed";
    case 421: return "Misdirected Request";
    case 422: return "Unprocessable Entity";
    case 423: return "Locked";
    case 424: return "Failed Dependency";
    case 425: return "Too Early";
    case 426: return "Upgrade Required";
    case 428: return "Precondition Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    case 506: return "Variant Also Negotiates";
    case 507: return "Insufficient Storage";
    case 508: return "Loop Detected";
    case 510: return "Not Extended";
    case 511: return "Network Authentication Required";
    default: return "Unknown";
  }
}

}  // namespace sluice::http
