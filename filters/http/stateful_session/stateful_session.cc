#include "filters/http/stateful_session/stateful_session.h"

#include "base/base64.h"
#include "base/strings.h"
#include "base/varint.h"
#include "http/cookies.h"
#include "http/path.h"
#include "proxy/exchange.h"
#include "proxy/override_host.h"

namespace sluice::filters::stateful_session {
namespace {

using http::End;
using proxy::Exchange;
using proxy::Step;

int64_t seconds_now(Exchange& exchange) { return exchange.local().loop.wall_now().us / 1'000'000; }

// Lives in the exchange's arena. Thread: its exchange's.
class StatefulSession final : public proxy::HttpFilter {
 public:
  explicit StatefulSession(const StatefulSessionFactory& factory) : factory_(factory) {}

  Step on_request_headers(Exchange& exchange, http::RequestHeaders& request, End) override {
    const Settings& settings = factory_.settings(exchange);
    if (settings.disabled || !settings.covers(request.path)) return Step::next();
    settings_ = &settings;
    asked_ = settings.in_cookie ? read_cookie(exchange, request) : read_header(request);
    if (!asked_.empty()) {
      using proxy::OverrideMode;
      proxy::set_override_host(exchange.filter_state(), asked_,
                               settings.strict ? OverrideMode::kStrict : OverrideMode::kPreferred);
    }
    return Step::next();
  }

  Step on_response_headers(Exchange& exchange, http::ResponseHeaders& response, End) override {
    const net::Address* host = settings_ == nullptr ? nullptr : exchange.facts().upstream_host;
    if (host == nullptr) return Step::next();
    const std::string address = host->to_string();
    if (address == asked_) return Step::next();
    if (settings_->in_cookie) {
      response.fields.add_copy("set-cookie", make_cookie(exchange, address));
    } else {
      response.fields.set_copy(settings_->name, encode_base64(address));
    }
    return Step::next();
  }

 private:
  std::string read_cookie(Exchange& exchange, const http::RequestHeaders& request) const {
    const auto session = decode_session(http::find_cookie(request.fields, settings_->name).value_or(""));
    if (!session) return {};
    const bool over = session->expires != 0 && static_cast<int64_t>(session->expires) < seconds_now(exchange);
    return over ? std::string() : session->address;
  }
  std::string read_header(const http::RequestHeaders& request) const {
    return decode_base64(request.get(settings_->name)).value_or("");
  }

  std::string make_cookie(Exchange& exchange, const std::string& address) const {
    Session session{address, 0};
    const int64_t ttl = to_ms(settings_->ttl) / 1000;
    if (ttl > 0) session.expires = static_cast<uint64_t>(seconds_now(exchange) + ttl);
    std::string out = cat(settings_->name, "=\"", encode_session(session), "\"");
    if (ttl > 0) append(out, "; Max-Age=", ttl);
    if (!settings_->path.empty()) append(out, "; Path=", settings_->path);
    append(out, settings_->attributes, "; HttpOnly");
    return out;
  }

  const StatefulSessionFactory& factory_;
  const Settings* settings_ = nullptr;  // null: the request has no session
  std::string asked_;
};

constexpr uint64_t kAddress = 1 << 3 | 2, kExpires = 2 << 3 | 0;  // field << 3 | wire type

}  // namespace

bool Settings::covers(std::string_view request_path) const {
  if (path.empty() || path == "/") return true;
  if (!request_path.starts_with(path)) return false;
  if (path.ends_with('/') || request_path.size() == path.size()) return true;
  const char next = request_path[path.size()];
  return next == '/' || next == '?' || next == '#';
}

std::string encode_session(const Session& session) {
  std::string out;
  append_varint(out, kAddress);
  append_varint(out, session.address.size());
  out += session.address;
  if (session.expires != 0) {
    append_varint(out, kExpires);
    append_varint(out, session.expires);
  }
  return encode_base64(out);
}

std::optional<Session> decode_session(std::string_view text) {
  const auto decoded = decode_base64(text);
  if (!decoded || decoded->empty()) return std::nullopt;
  std::string_view bytes = *decoded;
  Session out;
  while (!bytes.empty()) {
    const auto tag = take_varint(bytes);
    const auto value = tag == kAddress || tag == kExpires ? take_varint(bytes) : std::nullopt;
    if (!value || (tag == kAddress && *value > bytes.size())) return Session{*decoded, 0};
    if (tag == kAddress) {
      out.address = bytes.substr(0, *value);
      bytes.remove_prefix(*value);
    } else {
      out.expires = *value;
    }
  }
  return out.address.empty() ? std::nullopt : std::optional(std::move(out));
}

proxy::HttpFilter* StatefulSessionFactory::create(Exchange& exchange, proxy::FilterLocal*) const {
  return exchange.arena().create<StatefulSession>(*this);
}

uint8_t StatefulSessionFactory::hooks() const { return proxy::hooks_of<StatefulSession>(); }

const Settings& StatefulSessionFactory::settings(const Exchange& exchange) const {
  const auto* const route = exchange.settings_for<Settings>(name_);
  return route == nullptr ? *settings_ : *route;
}

}  // namespace sluice::filters::stateful_session
