#include "filters/http/basic_auth/basic_auth.h"

#include "base/base64.h"
#include "base/sha1.h"
#include "base/strings.h"
#include "proxy/exchange.h"

namespace sluice::filters::basic_auth {
namespace {

using proxy::Exchange;
using proxy::Step;

constexpr size_t kMaxRealmPath = 256;

// clang-format off
#define SLUICE_BASIC_AUTH_STATS(X) X(kCounter, kAllowed, "allowed") X(kCounter, kDenied, "denied")
// clang-format on
SLUICE_STAT_BLOCK(BasicAuthStat, SLUICE_BASIC_AUTH_STATS)

// Thread: its worker's.
class BasicAuthLocal final : public proxy::FilterLocal {
 public:
  explicit BasicAuthLocal(const proxy::FilterPlace& place) : registry_(place.local.registry) {
    id_ = registry_.add_block<BasicAuthStat>(cat(place.stat_prefix, "basic_auth."));
    stats = place.local.cells.block<BasicAuthStat>(id_);
  }
  ~BasicAuthLocal() override { registry_.release_block(id_); }
  stats::Block<BasicAuthStat> stats;

 private:
  stats::Registry& registry_;
  stats::BlockId id_;
};

// As long for a wrong digest as for the right one.
bool same(const Digest& a, const Digest& b) {
  int difference = 0;
  for (size_t i = 0; i < a.size(); ++i) difference |= a[i] ^ b[i];
  return difference == 0;
}

bool knows(const Users& users, std::string_view name, std::string_view password) {
  const Digest digest = sha1(password);
  const auto found = users.find(name);
  return found != users.end() && same(found->second, digest);
}

// Lives in the exchange's arena. Thread: its exchange's.
class BasicAuth final : public proxy::HttpFilter {
 public:
  BasicAuth(const BasicAuthFactory& factory, BasicAuthLocal& local) : factory_(factory), local_(local) {}

  Step on_request_headers(Exchange& exchange, http::RequestHeaders& request, http::End) override {
    const BasicAuthFactory::Settings& settings = factory_.settings();
    const auto* const route = exchange.settings_for<RouteUsers>(factory_.name());
    const std::string_view given = request.fields.get(settings.header);
    if (given.empty()) {
      if (settings.allow_missing) {
        local_.stats.inc(BasicAuthStat::kAllowed);
        return Step::next();
      }
      return deny(exchange, request, "User authentication failed. Missing username and password.",
                  "no_credential_for_basic_auth");
    }
    constexpr std::string_view kScheme = "Basic ";
    if (!given.starts_with(kScheme)) {
      return deny(exchange, request, "User authentication failed. Expected 'Basic' authentication scheme.",
                  "invalid_scheme_for_basic_auth");
    }
    const std::string decoded = decode_base64(given.substr(kScheme.size())).value_or("");
    const size_t colon = decoded.find(':');
    if (colon == std::string::npos) {
      return deny(exchange, request, "User authentication failed. Invalid basic credential format.",
                  "invalid_format_for_basic_auth");
    }
    const std::string_view name = std::string_view(decoded).substr(0, colon);
    if (!knows(route == nullptr ? settings.users : route->users, name, std::string_view(decoded).substr(colon + 1))) {
      return deny(exchange, request, "User authentication failed. Invalid username/password combination.",
                  "invalid_credential_for_basic_auth");
    }
    local_.stats.inc(BasicAuthStat::kAllowed);
    if (!settings.forward_name.empty()) request.fields.set_copy(settings.forward_name, name);
    if (settings.emit_metadata) exchange.metadata().set("envoy.filters.http.basic_auth", "username", Value(name));
    return Step::next();
  }

 private:
  Step deny(Exchange& exchange, const http::RequestHeaders& request, std::string_view body, std::string_view details) {
    local_.stats.inc(BasicAuthStat::kDenied);
    const auto* const route = exchange.settings_for<RouteUsers>(factory_.name());
    std::string_view realm = route != nullptr && !route->realm.empty() ? route->realm : factory_.settings().realm;
    std::string url;
    if (realm.empty()) {
      // What the client may write must not end the quotes.
      const std::string_view path = request.path.substr(0, kMaxRealmPath);
      for (const char c : cat(request.fields.get(http::Token::kXForwardedProto), "://", request.authority, path)) {
        if (c == '"' || c == '\\') url += '\\';
        url += c;
      }
      realm = url;
    }
    http::HeaderMap fields(exchange.arena());
    fields.add("www-authenticate", exchange.arena().copy(cat("Basic realm=\"", realm, "\"")));
    proxy::LocalReply reply;
    reply.status = 401;
    reply.body = body;
    reply.details = details;
    reply.fields = &fields;
    return exchange.reply(reply);
  }

  const BasicAuthFactory& factory_;
  BasicAuthLocal& local_;
};

}  // namespace

std::unique_ptr<proxy::FilterLocal> BasicAuthFactory::on_worker(const proxy::FilterPlace& place) const {
  return std::make_unique<BasicAuthLocal>(place);
}

proxy::HttpFilter* BasicAuthFactory::create(Exchange& exchange, proxy::FilterLocal* local) const {
  return exchange.arena().create<BasicAuth>(*this, static_cast<BasicAuthLocal&>(*local));
}

uint8_t BasicAuthFactory::hooks() const { return proxy::hooks_of<BasicAuth>(); }

}  // namespace sluice::filters::basic_auth
