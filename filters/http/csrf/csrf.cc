#include "filters/http/csrf/csrf.h"

#include <algorithm>

#include "base/strings.h"
#include "http/authority.h"
#include "proxy/exchange.h"

namespace sluice::filters::csrf {
namespace {

using proxy::Exchange;
using proxy::Step;

// clang-format off
#define SLUICE_CSRF_STATS(X) \
  X(kCounter, kMissingSourceOrigin, "missing_source_origin") X(kCounter, kRequestInvalid, "request_invalid") \
  X(kCounter, kRequestValid, "request_valid")
// clang-format on
SLUICE_STAT_BLOCK(CsrfStat, SLUICE_CSRF_STATS)

// Thread: its worker's.
class CsrfLocal final : public proxy::FilterLocal {
 public:
  explicit CsrfLocal(const proxy::FilterPlace& place) : registry_(place.local.registry) {
    id_ = registry_.add_block<CsrfStat>(cat(place.stat_prefix, "csrf."));
    stats = place.local.cells.block<CsrfStat>(id_);
  }
  ~CsrfLocal() override { registry_.release_block(id_); }
  stats::Block<CsrfStat> stats;

 private:
  stats::Registry& registry_;
  stats::BlockId id_;
};

bool changes(std::string_view method) {
  return method == "POST" || method == "PUT" || method == "DELETE" || method == "PATCH";
}

// Empty: unknown. "null" is what browsers write for an origin that they keep to themselves.
std::string_view source_of(const http::HeaderMap& fields) {
  const std::string_view origin = fields.get("origin");
  if (origin == "null") return {};
  return host_and_port(!origin.empty() ? origin : fields.get(http::Token::kReferer));
}

// Lives in the exchange's arena. Thread: its exchange's.
class Csrf final : public proxy::HttpFilter {
 public:
  Csrf(const CsrfFactory& factory, CsrfLocal& local) : factory_(factory), local_(local) {}

  Step on_request_headers(Exchange& exchange, http::RequestHeaders& request, http::End) override {
    const auto* const route = exchange.settings_for<Policy>(factory_.name());
    const Policy& policy = route == nullptr ? factory_.own() : *route;
    const uint64_t random = exchange.local().random.next();
    const bool enabled = policy.enabled.includes(random);
    if ((!enabled && !policy.shadow.includes(random)) || !changes(request.method)) return Step::next();
    const std::string_view source = source_of(request.fields);
    if (source.empty()) {
      local_.stats.inc(CsrfStat::kMissingSourceOrigin);
    } else if (source == host_and_port(request.authority) ||
               std::any_of(policy.more_origins.begin(), policy.more_origins.end(),
                           [&](const auto& origin) { return origin.matches(source); })) {
      local_.stats.inc(CsrfStat::kRequestValid);
      return Step::next();
    } else {
      local_.stats.inc(CsrfStat::kRequestInvalid);
    }
    if (!enabled) return Step::next();
    proxy::LocalReply reply;
    reply.status = 403;
    reply.body = "Invalid origin";
    reply.details = "csrf_origin_mismatch";
    return exchange.reply(reply);
  }

 private:
  const CsrfFactory& factory_;
  CsrfLocal& local_;
};

}  // namespace

std::string_view host_and_port(std::string_view url) {
  const size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return url;
  std::string_view rest = url.substr(scheme + 3);
  rest = rest.substr(0, rest.find_first_of("/?#"));
  const size_t user = rest.find('@');
  if (user != std::string_view::npos) rest = rest.substr(user + 1);
  return http::is_authority(rest) ? rest : url;
}

std::unique_ptr<proxy::FilterLocal> CsrfFactory::on_worker(const proxy::FilterPlace& place) const {
  return std::make_unique<CsrfLocal>(place);
}

proxy::HttpFilter* CsrfFactory::create(Exchange& exchange, proxy::FilterLocal* local) const {
  return exchange.arena().create<Csrf>(*this, static_cast<CsrfLocal&>(*local));
}

uint8_t CsrfFactory::hooks() const { return proxy::hooks_of<Csrf>(); }

}  // namespace sluice::filters::csrf
