#include "filters/http/NAME/NAME_config.h"

#include "config/compile_scope.h"
#include "filters/http/NAME/NAME.h"
#include "sluice_filters/NAME/v1/NAME.pb.h"

namespace sluice::filters::NAME {
namespace {

namespace v1 = sluice_filters::NAME::v1;
using config::CompileScope;
using google::protobuf::Message;

std::shared_ptr<const model::FilterConfig> compile(const Message& message, CompileScope& scope) {
  const auto& proto = static_cast<const v1::Name&>(message);
  scope.only(proto, {v1::Name::kTextFieldNumber});
  return std::make_shared<const NameFactory>(scope.filter_name, proto.text());
}

std::shared_ptr<const model::FilterConfig> compile_route(const Message& message, CompileScope& scope) {
  const auto& proto = static_cast<const v1::NamePerRoute&>(message);
  scope.only(proto, {v1::NamePerRoute::kTextFieldNumber});
  return std::make_shared<const RouteSettings>(proto.text());
}

}  // namespace

config::HttpFilterType extension() {
  return {.type = "sluice_filters.NAME.v1.Name",
          .compile = &compile,
          .route_type = "sluice_filters.NAME.v1.NamePerRoute",
          .compile_route = &compile_route};
}

}  // namespace sluice::filters::NAME
