#include "filters/http/NAME/NAME.h"

#include "proxy/exchange.h"

namespace sluice::filters::NAME {
namespace {

using http::End;
using proxy::Exchange;
using proxy::Step;

// Lives in the exchange's arena. Thread: its exchange's.
class NameFilter final : public proxy::HttpFilter {
 public:
  explicit NameFilter(const NameFactory& factory) : factory_(factory) {}

  Step on_response_headers(Exchange& exchange, http::ResponseHeaders& headers, End) override {
    headers.fields.set("x-NAME", factory_.text(exchange));
    return Step::next();
  }

 private:
  const NameFactory& factory_;
};

}  // namespace

proxy::HttpFilter* NameFactory::create(Exchange& exchange, proxy::FilterLocal*) const {
  return exchange.arena().create<NameFilter>(*this);
}

uint8_t NameFactory::hooks() const { return proxy::hooks_of<NameFilter>(); }

std::string_view NameFactory::text(const Exchange& exchange) const {
  const model::FilterOverride* const found = exchange.find_override(name_);
  if (found == nullptr || found->config == nullptr) {
    return text_;
  }
  return static_cast<const RouteSettings&>(*found->config).text;
}

}  // namespace sluice::filters::NAME
