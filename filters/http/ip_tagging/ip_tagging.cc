#include "filters/http/ip_tagging/ip_tagging.h"

#include <algorithm>

#include "base/strings.h"
#include "proxy/exchange.h"

namespace sluice::filters::ip_tagging {
namespace {

using proxy::Exchange;
using proxy::Step;

// Thread: its worker's.
struct IpTaggingLocal final : proxy::FilterLocal {
  IpTaggingLocal(const proxy::FilterPlace& place, const Settings& settings)
      : total(counter(place, "total")), no_hit(counter(place, "no_hit")) {
    for (const auto& [tag, networks] : settings.tags) hits.push_back(counter(place, cat(tag, ".hit")));
  }
  static stats::Single counter(const proxy::FilterPlace& place, std::string_view name) {
    return place.local.cells.counter(cat("ip_tagging.", name), place.stats);
  }
  stats::Single total, no_hit;
  std::vector<stats::Single> hits;  // by tag
};

// Lives in the exchange's arena. Thread: its exchange's.
class IpTagging final : public proxy::HttpFilter {
 public:
  IpTagging(const IpTaggingFactory& factory, IpTaggingLocal& local) : settings_(factory.settings()), local_(local) {}

  Step on_request_headers(Exchange& exchange, http::RequestHeaders& headers, http::End) override {
    const bool internal = headers.fields.get(http::Token::kXEnvoyInternal) == "true";
    if ((settings_.requests == Settings::Requests::kInternal && !internal) ||
        (settings_.requests == Settings::Requests::kExternal && internal)) {
      return Step::next();
    }
    std::string tags;
    for (size_t i = 0; i < settings_.tags.size(); ++i) {
      const auto& [tag, networks] = settings_.tags[i];
      if (!std::any_of(networks.begin(), networks.end(),
                       [&](const net::Cidr& network) { return network.contains(*exchange.facts().remote); })) {
        continue;
      }
      append(tags, tags.empty() ? "" : ",", tag);
      local_.hits[i].inc();
    }
    local_.total.inc();
    if (settings_.action == Settings::Header::kReplace) headers.fields.remove(settings_.header);
    if (tags.empty()) {
      local_.no_hit.inc();
      return Step::next();
    }
    const std::string_view present = headers.fields.get(settings_.header);
    headers.fields.set_copy(settings_.header, present.empty() ? tags : cat(present, ",", tags));
    return Step::next();
  }

 private:
  const Settings& settings_;
  IpTaggingLocal& local_;
};

}  // namespace

std::unique_ptr<proxy::FilterLocal> IpTaggingFactory::on_worker(const proxy::FilterPlace& place) const {
  return std::make_unique<IpTaggingLocal>(place, settings_);
}

proxy::HttpFilter* IpTaggingFactory::create(Exchange& exchange, proxy::FilterLocal* local) const {
  return exchange.arena().create<IpTagging>(*this, static_cast<IpTaggingLocal&>(*local));
}

uint8_t IpTaggingFactory::hooks() const { return proxy::hooks_of<IpTagging>(); }

}  // namespace sluice::filters::ip_tagging
