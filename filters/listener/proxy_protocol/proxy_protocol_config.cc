#include "filters/listener/proxy_protocol/proxy_protocol_config.h"

#include "base/strings.h"
#include "config/compile_scope.h"
#include "envoy/extensions/filters/listener/proxy_protocol/v3/proxy_protocol.pb.h"
#include "filters/listener/proxy_protocol/proxy_protocol.h"

namespace sluice::filters::proxy_protocol {
namespace {

using Proto = envoy::extensions::filters::listener::proxy_protocol::v3::ProxyProtocol;

// Immutable, shared by all workers. Thread: any.
class Factory final : public proxy::ListenerFilterFactory {
 public:
  explicit Factory(std::shared_ptr<const Settings> settings) : settings_(std::move(settings)) {}
  std::unique_ptr<proxy::ListenerFilter> on_worker(const proxy::ProxyLocal& proxy) const override {
    return std::make_unique<ProxyProtocol>(proxy, settings_);
  }

 private:
  std::shared_ptr<const Settings> settings_;
};

std::shared_ptr<const model::ListenerFilterConfig> compile(const google::protobuf::Message& message,
                                                           config::CompileScope& scope) {
  const auto& proto = static_cast<const Proto&>(message);
  scope.only(proto, {Proto::kAllowRequestsWithoutProxyProtocolFieldNumber, Proto::kDisallowedVersionsFieldNumber,
                     Proto::kStatPrefixFieldNumber, Proto::kRulesFieldNumber});
  auto settings = std::make_shared<Settings>();
  settings->stat_prefix = proto.stat_prefix().empty() ? "proxy_proto." : cat("proxy_proto.", proto.stat_prefix(), ".");
  settings->allow_without = proto.allow_requests_without_proxy_protocol();
  for (const int version : proto.disallowed_versions()) {
    settings->refused[version == envoy::config::core::v3::ProxyProtocolConfig::V1 ? 1 : 2] = true;
  }
  if (settings->refused[1] && settings->refused[2]) {
    scope.error(proto, Proto::kDisallowedVersionsFieldNumber, "no version of the PROXY protocol is left");
  }
  for (const Proto::Rule& rule : proto.rules()) {
    if (!rule.has_on_tlv_present()) continue;
    const Proto::KeyValuePair& pair = rule.on_tlv_present();
    scope.only(pair, {Proto::KeyValuePair::kMetadataNamespaceFieldNumber, Proto::KeyValuePair::kKeyFieldNumber});
    settings->rules.push_back(
        {static_cast<uint8_t>(rule.tlv_type()),
         pair.metadata_namespace().empty() ? "envoy.filters.listener.proxy_protocol" : pair.metadata_namespace(),
         pair.key()});
  }
  return std::make_shared<const Factory>(std::move(settings));
}

}  // namespace

config::ListenerFilterType extension() {
  return {.type = "envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol", .compile = &compile};
}

}  // namespace sluice::filters::proxy_protocol
