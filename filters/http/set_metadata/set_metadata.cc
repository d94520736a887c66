#include "filters/http/set_metadata/set_metadata.h"

#include "base/strings.h"
#include "proxy/exchange.h"

namespace sluice::filters::set_metadata {
namespace {

using proxy::Exchange;
using proxy::Step;

// Thread: its worker's.
struct SetMetadataLocal final : proxy::FilterLocal {
  explicit SetMetadataLocal(const proxy::FilterPlace& place)
      : overwrite_denied(place.local.cells.counter("set_metadata.overwrite_denied", place.stats)) {}
  stats::Single overwrite_denied;
};

// Lives in the exchange's arena. Thread: its exchange's.
class SetMetadata final : public proxy::HttpFilter {
 public:
  SetMetadata(const SetMetadataFactory& factory, SetMetadataLocal& local) : factory_(factory), local_(local) {}

  Step on_request_headers(Exchange& exchange, http::RequestHeaders&, http::End) override {
    for (const Entry& entry : factory_.entries()) {
      Metadata& metadata = exchange.metadata();
      if (metadata.find(entry.space) == nullptr) {
        metadata.space(entry.space) = *entry.fields.as_map();
      } else if (entry.present == Entry::Present::kIsMerged) {
        Value::Map& present = metadata.space(entry.space);
        for (const Value::Member& member : *entry.fields.as_map()) present[member.key].merge(member.value);
      } else {
        local_.overwrite_denied.inc();
      }
    }
    return Step::next();
  }

 private:
  const SetMetadataFactory& factory_;
  SetMetadataLocal& local_;
};

}  // namespace

std::unique_ptr<proxy::FilterLocal> SetMetadataFactory::on_worker(const proxy::FilterPlace& place) const {
  return std::make_unique<SetMetadataLocal>(place);
}

proxy::HttpFilter* SetMetadataFactory::create(Exchange& exchange, proxy::FilterLocal* local) const {
  return exchange.arena().create<SetMetadata>(*this, static_cast<SetMetadataLocal&>(*local));
}

uint8_t SetMetadataFactory::hooks() const { return proxy::hooks_of<SetMetadata>(); }

}  // namespace sluice::filters::set_metadata
