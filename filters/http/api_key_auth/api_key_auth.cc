#include "filters/http/api_key_auth/api_key_auth.h"

#include "base/strings.h"
#include "http/cookies.h"
#include "http/path.h"
#include "proxy/exchange.h"

namespace sluice::filters::api_key_auth {
namespace {

using proxy::Exchange;
using proxy::Step;
using In = KeySource::In;

// clang-format off
#define SLUICE_API_KEY_AUTH_STATS(X) \
  X(kCounter, kAllowed, "allowed") X(kCounter, kForbidden, "forbidden") X(kCounter, kUnauthorized, "unauthorized")
// clang-format on
SLUICE_STAT_BLOCK(ApiKeyStat, SLUICE_API_KEY_AUTH_STATS)

// Thread: its worker's.
class ApiKeyLocal final : public proxy::FilterLocal {
 public:
  explicit ApiKeyLocal(const proxy::FilterPlace& place) : registry_(place.local.registry) {
    id_ = registry_.add_block<ApiKeyStat>(cat(place.stat_prefix, "api_key_auth."));
    stats = place.local.cells.block<ApiKeyStat>(id_);
  }
  ~ApiKeyLocal() override { registry_.release_block(id_); }
  stats::Block<ApiKeyStat> stats;

 private:
  stats::Registry& registry_;
  stats::BlockId id_;
};

std::string_view find_key(const KeySource& source, const http::RequestHeaders& request) {
  switch (source.in) {
    case In::kHeader: {
      constexpr std::string_view kBearer = "Bearer ";
      const std::string_view value = request.fields.get(source.name);
      return value.starts_with(kBearer) ? value.substr(kBearer.size()) : value;
    }
    case In::kQuery:
      return http::query_parameter(http::split_target(request.path).query, source.name).value_or("");
    case In::kCookie:
      return http::find_cookie(request.fields, source.name).value_or("");
  }
  return {};
}

// `list` without the members NAME=...; separated by `separator`.
std::string without(std::string_view list, char separator, std::string_view name) {
  std::string out;
  for (const std::string_view member : split(list, separator)) {
    const std::string_view bare = trim(member);
    if (bare.substr(0, bare.find('=')) == name) continue;
    if (!out.empty()) out += separator;
    out += out.empty() ? bare : member;
  }
  return out;
}

void hide(const KeySource& source, http::RequestHeaders& request) {
  http::HeaderMap& fields = request.fields;
  switch (source.in) {
    case In::kHeader:
      fields.remove(source.name);
      return;
    case In::kQuery: {
      const http::Target target = http::split_target(request.path);
      if (!http::query_parameter(target.query, source.name)) return;
      const std::string query = without(target.query, '&', source.name);
      request.path = fields.arena().copy(cat(target.path, query.empty() ? "" : "?", query));
      return;
    }
    case In::kCookie:
      for (http::HeaderField& field : fields) {
        if (field.token != http::Token::kCookie) continue;
        const std::string_view rest = fields.arena().copy(without(field.value(), ';', source.name));
        if (rest.size() == field.value().size()) continue;
        field.value_data = rest.data();
        field.value_size = static_cast<uint32_t>(rest.size());
        field.as_on_wire = false;
      }
      fields.remove_if(
          [](const http::HeaderField& field) { return field.token == http::Token::kCookie && field.value().empty(); });
      return;
  }
}

// Lives in the exchange's arena. Thread: its exchange's.
class ApiKeyAuth final : public proxy::HttpFilter {
 public:
  ApiKeyAuth(const ApiKeyAuthFactory& factory, ApiKeyLocal& local) : factory_(factory), local_(local) {}

  Step on_request_headers(Exchange& exchange, http::RequestHeaders& request, http::End) override {
    const auto* const route = exchange.settings_for<Settings>(factory_.name());
    const Settings& own = factory_.own();
    const Settings& nearest = route == nullptr ? own : *route;
    const auto& sources = nearest.sources.empty() ? own.sources : nearest.sources;
    const auto& clients = nearest.clients.empty() ? own.clients : nearest.clients;

    std::string_view key;
    for (const KeySource& source : sources) {
      key = find_key(source, request);
      if (!key.empty()) break;
    }
    if (key.empty()) return refuse(exchange, 401, "missing_api_key");
    const auto client = clients.find(key);
    if (client == clients.end()) return refuse(exchange, 401, "unknown_api_key");
    if (!nearest.allowed.empty() && !nearest.allowed.contains(client->second)) {
      return refuse(exchange, 403, "client_not_allowed");
    }
    local_.stats.inc(ApiKeyStat::kAllowed);
    if (nearest.forwarding.hide_credentials) {
      for (const KeySource& source : sources) hide(source, request);
    }
    if (!nearest.forwarding.header.empty()) request.fields.set(nearest.forwarding.header, client->second);
    return Step::next();
  }

 private:
  Step refuse(Exchange& exchange, uint16_t status, std::string_view details) {
    local_.stats.inc(status == 403 ? ApiKeyStat::kForbidden : ApiKeyStat::kUnauthorized);
    proxy::LocalReply reply;
    reply.status = status;
    reply.body = status == 403 ? "Client is forbidden." : "Client authentication failed.";
    reply.details = details;
    return exchange.reply(reply);
  }

  const ApiKeyAuthFactory& factory_;
  ApiKeyLocal& local_;
};

}  // namespace

std::unique_ptr<proxy::FilterLocal> ApiKeyAuthFactory::on_worker(const proxy::FilterPlace& place) const {
  return std::make_unique<ApiKeyLocal>(place);
}

proxy::HttpFilter* ApiKeyAuthFactory::create(Exchange& exchange, proxy::FilterLocal* local) const {
  return exchange.arena().create<ApiKeyAuth>(*this, static_cast<ApiKeyLocal&>(*local));
}

uint8_t ApiKeyAuthFactory::hooks() const { return proxy::hooks_of<ApiKeyAuth>(); }

}  // namespace sluice::filters::api_key_auth
