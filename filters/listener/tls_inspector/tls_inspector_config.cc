#include "filters/listener/tls_inspector/tls_inspector_config.h"

#include "config/compile_scope.h"
#include "envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector.pb.h"
#include "filters/listener/tls_inspector/tls_inspector.h"

namespace sluice::filters::tls_inspector {
namespace {

using Proto = envoy::extensions::filters::listener::tls_inspector::v3::TlsInspector;

// Immutable, shared by all workers. Thread: any.
class Factory final : public proxy::ListenerFilterFactory {
 public:
  explicit Factory(const Settings& settings) : settings_(settings) {}
  std::unique_ptr<proxy::ListenerFilter> on_worker(const proxy::ProxyLocal& proxy) const override {
    return std::make_unique<TlsInspector>(proxy, settings_);
  }

 private:
  const Settings settings_;
};

std::shared_ptr<const model::ListenerFilterConfig> compile(const google::protobuf::Message& message,
                                                           config::CompileScope& scope) {
  const auto& proto = static_cast<const Proto&>(message);
  // The first read takes what is there, whatever its size was said to be.
  scope.only(proto, {Proto::kInitialReadBufferSizeFieldNumber, Proto::kMaxClientHelloSizeFieldNumber,
                     Proto::kCloseConnectionOnClientHelloParsingErrorsFieldNumber,
                     Proto::kEnableJa3FingerprintingFieldNumber, Proto::kEnableJa4FingerprintingFieldNumber});
  if (proto.enable_ja3_fingerprinting().value()) scope.not_supported(proto, Proto::kEnableJa3FingerprintingFieldNumber);
  if (proto.enable_ja4_fingerprinting().value()) scope.not_supported(proto, Proto::kEnableJa4FingerprintingFieldNumber);
  Settings settings;
  if (proto.has_max_client_hello_size()) settings.most = proto.max_client_hello_size().value();
  settings.close_on_error = proto.close_connection_on_client_hello_parsing_errors();
  return std::make_shared<const Factory>(settings);
}

}  // namespace

config::ListenerFilterType extension() {
  return {.type = "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector", .compile = &compile};
}

}  // namespace sluice::filters::tls_inspector
