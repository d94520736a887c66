#include "filters/http/ip_tagging/ip_tagging.h"

#include <algorithm>
#include <optional>

#include "base/strings.h"
#include "proxy/exchange.h"

namespace sluice::filters::ip_tagging {
namespace {

using proxy::Exchange;
using proxy::Step;

// Thread: its worker's.
struct IpTaggingLocal final : proxy::FilterLocal {
  IpTaggingLocal(const proxy::FilterPlace& place, const Settings& settings)
      : cells(place.local.cells), parent(place.stats), hits(settings.tags.size()) {}
  // A counter is made when there is something to count.
  void count(std::optional<stats::Single>& counter, std::string_view name, std::string_view end = {}) {
    if (!counter) counter = cells.counter(cat("ip_tagging.", name, end), parent);
    counter->inc();
  }
  stats::WorkerCells& cells;
  const stats::BlockId parent;
  std::optional<stats::Single> total, no_hit;
  std::vector<std::optional<stats::Single>> hits;  // by tag
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
      local_.count(local_.hits[i], tag, ".hit");
    }
    local_.count(local_.total, "total");
    if (settings_.action == Settings::Header::kReplace) headers.fields.remove(settings_.header);
    if (tags.empty()) {
      local_.count(local_.no_hit, "no_hit");
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
