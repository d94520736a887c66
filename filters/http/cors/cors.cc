#include "filters/http/cors/cors.h"

#include <algorithm>

#include "base/strings.h"
#include "proxy/exchange.h"

namespace sluice::filters::cors {
namespace {

using proxy::Exchange;
using proxy::Step;

// clang-format off
#define SLUICE_CORS_STATS(X) X(kCounter, kOriginValid, "origin_valid") X(kCounter, kOriginInvalid, "origin_invalid")
// clang-format on
SLUICE_STAT_BLOCK(CorsStat, SLUICE_CORS_STATS)

// Thread: its worker's.
class CorsLocal final : public proxy::FilterLocal {
 public:
  explicit CorsLocal(const proxy::FilterPlace& place) : registry_(place.local.registry) {
    id_ = registry_.add_block<CorsStat>(cat(place.stat_prefix, "cors."));
    stats = place.local.cells.block<CorsStat>(id_);
  }
  ~CorsLocal() override { registry_.release_block(id_); }
  stats::Block<CorsStat> stats;

 private:
  stats::Registry& registry_;
  stats::BlockId id_;
};

// The policies of an exchange's route, the most specific first.
class Policies {
 public:
  Policies(const Exchange& exchange, std::string_view name) {
    const model::Route* route = exchange.route().route;
    // As in Envoy, answers that are given here are not shared with other origins.
    if (route == nullptr || !std::holds_alternative<model::ForwardAction>(route->action)) return;
    collect(exchange, name);
    if (count_ == 0) collect(exchange, {});  // the deprecated fields `cors`, which no filter's name stands at
  }

  bool empty() const { return count_ == 0; }
  const Policy& first() const { return *levels_[0]; }
  // The first text that is set; empty when none is.
  std::string_view text(std::string Policy::*field) const {
    for (size_t i = 0; i < count_; ++i) {
      if (!(levels_[i]->*field).empty()) return levels_[i]->*field;
    }
    return {};
  }
  bool truth(std::optional<bool> Policy::*field, bool otherwise) const {
    for (size_t i = 0; i < count_; ++i) {
      if (levels_[i]->*field) return *(levels_[i]->*field);
    }
    return otherwise;
  }
  bool allows(std::string_view origin) const {
    for (size_t i = 0; i < count_; ++i) {
      const auto& origins = levels_[i]->origins;
      if (origins.empty()) continue;
      return std::any_of(origins.begin(), origins.end(),
                         [&](const auto& one) { return one.matches("*") || one.matches(origin); });
    }
    return false;
  }

 private:
  void collect(const Exchange& exchange, std::string_view name) {
    exchange.for_each_override_level([&](const model::FilterOverrides& level) {
      for (const model::FilterOverride& one : level) {
        const auto* policy = one.filter_name == name ? dynamic_cast<const Policy*>(one.config.get()) : nullptr;
        if (policy != nullptr && count_ < std::size(levels_)) levels_[count_++] = policy;
      }
    });
  }

  const Policy* levels_[4] = {};
  size_t count_ = 0;
};

// Lives in the exchange's arena. Thread: its exchange's.
class Cors final : public proxy::HttpFilter {
 public:
  Cors(const CorsFactory& factory, CorsLocal& local) : factory_(factory), local_(local) {}

  Step on_request_headers(Exchange& exchange, http::RequestHeaders& request, http::End) override {
    const Policies policies(exchange, factory_.name());
    const std::string_view origin = request.fields.get("origin");
    if (policies.empty() || origin.empty()) return Step::next();
    const uint64_t random = exchange.local().random.next();
    const bool enabled = policies.first().enabled.includes(random);
    if (!enabled && !policies.first().shadow.includes(random)) return Step::next();
    const bool preflight = request.method == "OPTIONS" && !request.fields.get("access-control-request-method").empty();
    const bool allowed = policies.allows(origin);
    local_.stats.inc(allowed ? CorsStat::kOriginValid : CorsStat::kOriginInvalid);
    if (!enabled) return Step::next();
    if (allowed) origin_ = origin;
    const bool answers = preflight && (allowed || !policies.truth(&Policy::forward_preflights, true));
    return answers ? answer(policies, exchange, request) : Step::next();
  }

  Step on_response_headers(Exchange& exchange, http::ResponseHeaders& response, http::End) override {
    if (origin_.empty()) return Step::next();
    const Policies policies(exchange, factory_.name());
    http::HeaderMap& fields = response.fields;
    fields.set("access-control-allow-origin", origin_);
    if (policies.truth(&Policy::credentials, false)) fields.set("access-control-allow-credentials", "true");
    set_unless_empty(fields, "access-control-expose-headers", policies.text(&Policy::exposed));
    return Step::next();
  }

 private:
  static void set_unless_empty(http::HeaderMap& fields, std::string_view name, std::string_view value) {
    if (!value.empty()) fields.set(name, value);
  }

  // A star does not count together with credentials: what was asked for is then allowed by name.
  static std::string_view granted(std::string_view allowed, std::string_view asked, bool credentials) {
    return allowed == "*" && credentials ? asked : allowed;
  }

  static Step answer(const Policies& policies, Exchange& exchange, const http::RequestHeaders& request) {
    const bool credentials = policies.truth(&Policy::credentials, false);
    http::HeaderMap fields(exchange.arena());
    if (credentials) fields.set("access-control-allow-credentials", "true");
    set_unless_empty(
        fields, "access-control-allow-methods",
        granted(policies.text(&Policy::methods), request.fields.get("access-control-request-method"), credentials));
    set_unless_empty(
        fields, "access-control-allow-headers",
        granted(policies.text(&Policy::headers), request.fields.get("access-control-request-headers"), credentials));
    set_unless_empty(fields, "access-control-max-age", policies.text(&Policy::max_age));
    if (policies.truth(&Policy::private_network, false) &&
        request.fields.get("access-control-request-private-network") == "true") {
      fields.set("access-control-allow-private-network", "true");
    }
    proxy::LocalReply reply;
    reply.status = 200;
    reply.details = "cors_response";
    reply.fields = &fields;
    return exchange.reply(reply);
  }

  const CorsFactory& factory_;
  CorsLocal& local_;
  std::string_view origin_;  // that is allowed
};

}  // namespace

std::unique_ptr<proxy::FilterLocal> CorsFactory::on_worker(const proxy::FilterPlace& place) const {
  return std::make_unique<CorsLocal>(place);
}

proxy::HttpFilter* CorsFactory::create(Exchange& exchange, proxy::FilterLocal* local) const {
  return exchange.arena().create<Cors>(*this, static_cast<CorsLocal&>(*local));
}

uint8_t CorsFactory::hooks() const { return proxy::hooks_of<Cors>(); }

}  // namespace sluice::filters::cors
