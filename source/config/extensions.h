// Extensions: what this build can do, by the type of the configuration message (never by the name of a filter). The
// composition root fills it with an explicit list (filters/builtin.h); nothing registers itself.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/filter_plan.h"
#include "model/listener_plan.h"

namespace google::protobuf {
class Message;
}

namespace sluice::model {
class AccessLoggerPlan;
struct GoogleGrpc;
class TracerPlan;
}  // namespace sluice::model
namespace sluice::upstream {
class GoogleService;
}

namespace sluice::config {

class CompileScope;

// As the others below. The provider of HttpConnectionManager.tracing.
using CompileTracer = std::shared_ptr<const model::TracerPlan> (*)(const google::protobuf::Message&, CompileScope&);
// The same for an access log that is no file.
using CompileAccessLogger = std::shared_ptr<const model::AccessLoggerPlan> (*)(const google::protobuf::Message&,
                                                                               CompileScope&);

// A service that is called by gRPC's own library.
using MakeGoogleService = std::shared_ptr<const upstream::GoogleService> (*)(const model::GoogleGrpc&);

// Compilers return null after they reported errors to the scope. The message is of the type that they are registered
// for.
using CompileHttpFilter = std::shared_ptr<const model::FilterConfig> (*)(const google::protobuf::Message&,
                                                                         CompileScope&);
using CompileNetworkFilter = std::shared_ptr<const model::NetworkFilterPlan> (*)(const google::protobuf::Message&,
                                                                                 CompileScope&);
using CompileListenerFilter = std::shared_ptr<const model::ListenerFilterConfig> (*)(const google::protobuf::Message&,
                                                                                     CompileScope&);

// Thread: any (immutable once the list is complete).
struct HttpFilterType {
  std::string_view type;  // full name of the message, "envoy.extensions.filters.http.router.v3.Router"
  CompileHttpFilter compile;
  bool terminal = false;        // ends a filter chain, as the router does
  bool upstream = false;        // may stand on a try as well, as in Envoy
  std::string_view route_type;  // of typed_per_filter_config; empty: the filter has none
  CompileHttpFilter compile_route = nullptr;
};

// Thread: any (immutable once the list is complete).
struct NetworkFilterType {
  std::string_view type;
  CompileNetworkFilter compile;
  bool terminal = false;
};

// Thread: any (immutable once the list is complete).
struct ListenerFilterType {
  std::string_view type;
  CompileListenerFilter compile;
};

// Thread: any (immutable once the list is complete).
struct TracerType {
  std::string_view type;
  CompileTracer compile;
};

// Thread: any (immutable once the list is complete).
struct AccessLoggerType {
  std::string_view type;
  CompileAccessLogger compile;
};

// Thread: filled on main before anything is compiled, read-only afterwards.
class Extensions {
 public:
  void add(const HttpFilterType& filter);
  void add(const NetworkFilterType& filter);
  void add(const ListenerFilterType& filter);
  void add(const TracerType& tracer);
  void add(const AccessLoggerType& logger);
  void set_google_grpc(MakeGoogleService make) { google_grpc_ = make; }

  // By full name of the message; null when there is none.
  const HttpFilterType* http_filter(std::string_view type) const;
  const HttpFilterType* http_filter_by_route_type(std::string_view type) const;
  const NetworkFilterType* network_filter(std::string_view type) const;
  const ListenerFilterType* listener_filter(std::string_view type) const;
  // All of them: category ("envoy.filters.http") and type.
  std::vector<std::pair<std::string, std::string_view>> types() const;
  const TracerType* tracer(std::string_view type) const;
  const AccessLoggerType* access_logger(std::string_view type) const;
  // Null: this build has no library of gRPC's.
  MakeGoogleService google_grpc() const { return google_grpc_; }

 private:
  std::map<std::string_view, HttpFilterType> http_;
  std::map<std::string_view, std::string_view> http_by_route_;
  std::map<std::string_view, NetworkFilterType> network_;
  std::map<std::string_view, ListenerFilterType> listener_;
  std::map<std::string_view, TracerType> tracers_;
  std::map<std::string_view, AccessLoggerType> access_loggers_;
  MakeGoogleService google_grpc_ = nullptr;
};

}  // namespace sluice::config
