// stateful_session: requests of one session go to one host, which the client remembers in a cookie or a header.
// https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_filters/stateful_session_filter
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "proxy/filter.h"

namespace sluice::filters::stateful_session {

// Where the session is kept, and what is done when its host is gone. Thread: any (immutable).
class Settings final : public model::FilterConfig {
 public:
  bool disabled = false;
  bool strict = false;
  bool in_cookie = false;  // else in a header
  std::string name;        // of either
  Duration ttl{0};         // of the cookie; 0: it ends with the client's session
  std::string path;        // only requests below it have a session; empty: all
  std::string attributes;  // "; SameSite=Strict"

  bool covers(std::string_view request_path) const;
};

// What a cookie's value says: the host's address, and until when (seconds since 1970; 0: for ever). Base64 of a
// message of two fields (address = 1, expires = 2).
struct Session {
  std::string address;
  uint64_t expires = 0;
};
std::string encode_session(const Session& session);
// None when it is no such message. Old cookies have the bare address: they give a session that does not expire.
std::optional<Session> decode_session(std::string_view text);

// Thread: any (immutable).
class StatefulSessionFactory final : public proxy::HttpFilterFactory {
 public:
  StatefulSessionFactory(std::string_view name, std::shared_ptr<const Settings> settings)
      : name_(name), settings_(std::move(settings)) {}
  proxy::HttpFilter* create(proxy::Exchange& exchange, proxy::FilterLocal* local) const override;
  uint8_t hooks() const override;
  const Settings& settings(const proxy::Exchange& exchange) const;

 private:
  std::string name_;
  std::shared_ptr<const Settings> settings_;
};

}  // namespace sluice::filters::stateful_session
