#include "filters/http/custom_response/custom_response.h"

#include "proxy/exchange.h"

namespace sluice::filters::custom_response {
namespace {

using proxy::Exchange;
using proxy::Step;

// Lives in the exchange's arena. Thread: its exchange's.
class CustomResponse final : public proxy::HttpFilter {
 public:
  explicit CustomResponse(const CustomResponseFactory& factory) : factory_(factory) {}

  Step on_response_headers(Exchange& exchange, http::ResponseHeaders& headers, http::End) override {
    const Settings& settings = factory_.settings(exchange);
    format::Facts& facts = exchange.facts();
    const auto* const found =
        settings.tree == nullptr ? nullptr : static_cast<const LocalResponse*>(settings.tree->find(facts));
    if (found == nullptr) return Step::next();
    // Formats see the answer that is replaced, whoever gave it.
    facts.response_code = headers.status;
    proxy::LocalReply reply;
    reply.status = found->status != 0 ? found->status : headers.status;
    reply.body = body(*found, exchange);
    reply.details = found->keeps_details ? facts.details : std::string_view(found->details);
    http::HeaderMap fields(exchange.arena());
    found->headers.apply(fields, facts);
    if (!found->content_type.empty()) fields.set(http::Token::kContentType, found->content_type);
    reply.fields = &fields;
    return exchange.reply(reply);
  }

 private:
  static std::string_view body(const LocalResponse& response, Exchange& exchange) {
    if (!response.format) return response.body;
    format::Facts& facts = exchange.facts();
    facts.local_reply_body = response.body;
    std::string text;
    response.format->append(text, facts);
    return exchange.arena().copy(text);
  }

  const CustomResponseFactory& factory_;
};

}  // namespace

proxy::HttpFilter* CustomResponseFactory::create(Exchange& exchange, proxy::FilterLocal*) const {
  return exchange.arena().create<CustomResponse>(*this);
}

uint8_t CustomResponseFactory::hooks() const { return proxy::hooks_of<CustomResponse>(); }

const Settings& CustomResponseFactory::settings(const Exchange& exchange) const {
  const auto* const route = exchange.settings_for<Settings>(name_);
  return route == nullptr ? *settings_ : *route;
}

}  // namespace sluice::filters::custom_response
