#include "filters/http/dynamic_forward_proxy/dynamic_forward_proxy.h"

#include <algorithm>
#include <variant>

#include "base/strings.h"
#include "model/route_action.h"
#include "proxy/exchange.h"
#include "proxy/local_reply.h"
#include "upstream/cluster.h"
#include "upstream/dns_cache.h"

namespace sluice::filters::dynamic_forward_proxy {
namespace {

using http::End;
using proxy::Exchange;
using proxy::LocalReply;
using proxy::Step;
using upstream::NameLookups;

LocalReply unavailable(std::string_view body, std::string_view details) {
  return {.status = 503, .body = body, .details = details};
}

// Lives in the exchange's arena. Thread: its exchange's.
class DynamicForwardProxy final : public proxy::HttpFilter {
 public:
  explicit DynamicForwardProxy(const DynamicForwardProxyFactory& factory) : factory_(factory) {}
  ~DynamicForwardProxy() override {
    if (ticket_ != nullptr) ticket_->filter = nullptr;
  }

  Step on_request_headers(Exchange& exchange, http::RequestHeaders& request, End) override {
    upstream::Cluster* cluster = find_cluster(exchange, request);
    if (cluster == nullptr || cluster->shared()->lookups == nullptr) return Step::next();
    rewrite_host(exchange, request);
    const upstream::ForwardName name(request.authority, cluster->default_port());
    if (name.text.empty()) {
      return exchange.reply({.status = 400, .body = "Empty host header", .details = "empty_host_header"});
    }
    if (cluster->forward_host(request.authority) != nullptr) return Step::next();
    exchange_ = &exchange;
    ticket_ = std::make_shared<Ticket>(Ticket{this});
    const bool asked = NameLookups::ask(cluster->shared()->lookups, std::string(name.text), exchange.local().loop,
                                        [ticket = ticket_](NameLookups::Answer answer) {
                                          if (ticket->filter != nullptr) ticket->filter->answered(answer);
                                        });
    if (!asked) {
      return exchange.reply(unavailable("Dynamic forward proxy pending request overflow",
                                        "dynamic_forward_proxy_pending_request_overflow"));
    }
    return Step::pause(resumer_);
  }

 private:
  // What an answer that comes too late finds. Thread: the exchange's.
  struct Ticket {
    DynamicForwardProxy* filter;
  };

  static upstream::Cluster* find_cluster(Exchange& exchange, const http::RequestHeaders& request) {
    const model::RouteChoice& choice = exchange.route();
    if (choice.route == nullptr) return nullptr;
    const auto* action = std::get_if<model::ForwardAction>(&choice.route->action);
    return action == nullptr ? nullptr : exchange.clusters().find(action->cluster_name(exchange.weighted(), request));
  }

  void rewrite_host(Exchange& exchange, http::RequestHeaders& request) const {
    const auto* rewrite = exchange.settings_for<HostRewrite>(factory_.name());
    if (rewrite == nullptr) return;
    if (!rewrite->literal.empty()) {
      request.authority = rewrite->literal;
    } else if (const std::string_view host = request.get(rewrite->header);
               !host.empty() || request.fields.find(rewrite->header) != nullptr) {
      request.authority = host;  // an empty one is refused
    }
  }

  void answered(const NameLookups::Answer& answer) {
    switch (answer.outcome) {
      case NameLookups::Outcome::kKnown:
        resumer_.resume();
        return;
      case NameLookups::Outcome::kFull:
        (void)exchange_->reply(unavailable("DNS cache overflow", "dns_cache_overflow"));
        return;
      case NameLookups::Outcome::kFailed:
        break;
    }
    std::string why = answer.why;
    std::replace(why.begin(), why.end(), ' ', '_');
    LocalReply reply =
        unavailable("DNS resolution failure", exchange_->arena().copy(cat("dns_resolution_failure{", why, "}")));
    reply.flag = format::Flag::kDnsResolutionFailed;
    (void)exchange_->reply(reply);
  }

  const DynamicForwardProxyFactory& factory_;
  Exchange* exchange_ = nullptr;
  std::shared_ptr<Ticket> ticket_;  // while an answer may come
  proxy::Resumer resumer_;
};

}  // namespace

proxy::HttpFilter* DynamicForwardProxyFactory::create(Exchange& exchange, proxy::FilterLocal*) const {
  return exchange.arena().create<DynamicForwardProxy>(*this);
}

uint8_t DynamicForwardProxyFactory::hooks() const { return proxy::hooks_of<DynamicForwardProxy>(); }

}  // namespace sluice::filters::dynamic_forward_proxy
