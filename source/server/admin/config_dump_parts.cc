// The parts of a dump, and what must not be shown in them.
#include <google/protobuf/any.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include "config/any.h"
#include "config/message_tree.h"
#include "envoy/admin/v3/config_dump.pb.h"
#include "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb.h"
#include "server/admin/config_dump_parts.h"
#include "udpa/annotations/sensitive.pb.h"

namespace sluice::server::admin {
namespace {

using envoy::config::bootstrap::v3::Bootstrap;
using envoy::config::listener::v3::FilterChain;
using envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager;
using google::protobuf::Any;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Timestamp;

constexpr char kRedacted[] = "[redacted]";

// The inline route tables of the connection managers of a listener.
void add_routes(const envoy::config::listener::v3::Listener& listener, const Timestamp& at, Wanted& wanted,
                envoy::admin::v3::RoutesConfigDump& dump) {
  const auto add_chain = [&](const FilterChain& chain) {
    for (const auto& filter : chain.filters()) {
      HttpConnectionManager manager;
      if (filter.typed_config().UnpackTo(&manager) && manager.has_route_config() &&
          accepts(wanted, manager.route_config().name())) {
        auto* entry = dump.add_static_route_configs();
        entry->mutable_route_config()->PackFrom(manager.route_config());
        *entry->mutable_last_updated() = at;
      }
    }
  };
  for (const FilterChain& chain : listener.filter_chains()) add_chain(chain);
  if (listener.has_default_filter_chain()) add_chain(listener.default_filter_chain());
}

void redact_field(Message& message, const FieldDescriptor& field);

// A sensitive message is a data source: its parts are texts and bytes.
void redact_source(Message& source) {
  std::vector<const FieldDescriptor*> set;
  source.GetReflection()->ListFields(source, &set);
  for (const FieldDescriptor* part : set) {
    // Where a secret stands is none.
    if (part->name() != "filename" && part->name() != "environment_variable") redact_field(source, *part);
  }
}

void redact_field(Message& message, const FieldDescriptor& field) {
  const auto* reflection = message.GetReflection();
  const auto type = field.cpp_type();
  const bool text = type == FieldDescriptor::CPPTYPE_STRING;
  if (!text && type != FieldDescriptor::CPPTYPE_MESSAGE) {
    reflection->ClearField(&message, &field);
  } else if (!field.is_repeated()) {
    if (text) return reflection->SetString(&message, &field, kRedacted);
    redact_source(*reflection->MutableMessage(&message, &field));
  } else {
    for (int i = 0; i < reflection->FieldSize(message, &field); ++i) {
      if (text) {
        reflection->SetRepeatedString(&message, &field, i, kRedacted);
      } else {
        redact_source(*reflection->MutableRepeatedMessage(&message, &field, i));
      }
    }
  }
}

void redact_any(Any& any) {
  const auto content = config::new_message(config::type_name(any.type_url()));
  if (content != nullptr && content->ParseFromString(any.value())) {
    redact(*content);
    any.set_value(config::bytes_of(*content));
  }
}

}  // namespace

void redact(Message& message) {
  if (message.GetDescriptor() == Any::descriptor()) {
    redact_any(static_cast<Any&>(message));
    return;
  }
  const auto* reflection = message.GetReflection();
  std::vector<const FieldDescriptor*> set;
  reflection->ListFields(message, &set);
  for (const FieldDescriptor* field : set) {
    if (field->options().GetExtension(udpa::annotations::sensitive)) {
      redact_field(message, *field);
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      if (!field->is_repeated()) {
        redact(*reflection->MutableMessage(&message, field));
        continue;
      }
      for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
        redact(*reflection->MutableRepeatedMessage(&message, field, i));
      }
    }
  }
}

std::vector<std::unique_ptr<Message>> dump_parts(const Bootstrap& bootstrap, WallTime accepted_at,
                                                 const DynamicConfigs& dynamic, Wanted& wanted,
                                                 ShowEndpoints endpoints) {
  const Timestamp at = timestamp(accepted_at);
  auto whole = std::make_unique<envoy::admin::v3::BootstrapConfigDump>();
  *whole->mutable_bootstrap() = bootstrap;
  *whole->mutable_last_updated() = at;
  DumpParts parts;
  for (const auto& cluster : bootstrap.static_resources().clusters()) {
    if (!accepts(wanted, cluster.name())) continue;
    auto* entry = parts.clusters->add_static_clusters();
    entry->mutable_cluster()->PackFrom(cluster);
    *entry->mutable_last_updated() = at;
    if (cluster.has_load_assignment()) {
      parts.endpoints->add_static_endpoint_configs()->mutable_endpoint_config()->PackFrom(cluster.load_assignment());
    }
  }
  for (const auto& listener : bootstrap.static_resources().listeners()) {
    add_routes(listener, at, wanted, *parts.routes);
    if (!accepts(wanted, listener.name())) continue;
    auto* entry = parts.listeners->add_static_listeners();
    entry->mutable_listener()->PackFrom(listener);
    *entry->mutable_last_updated() = at;
  }
  for (const auto& secret : bootstrap.static_resources().secrets()) {
    if (!accepts(wanted, secret.name())) continue;
    auto* entry = parts.secrets->add_static_secrets();
    entry->set_name(secret.name());
    entry->mutable_secret()->PackFrom(secret);
  }
  add_dynamic(dynamic, wanted, parts);
  std::vector<std::unique_ptr<Message>> out;
  out.push_back(std::move(whole));
  out.push_back(std::move(parts.clusters));
  if (endpoints == ShowEndpoints::kYes) out.push_back(std::move(parts.endpoints));
  out.push_back(std::move(parts.listeners));
  out.push_back(std::move(parts.scopes));
  out.push_back(std::move(parts.routes));
  out.push_back(std::move(parts.secrets));
  if (parts.extensions->ecds_filters_size() > 0) out.push_back(std::move(parts.extensions));
  for (const auto& part : out) redact(*part);
  return out;
}

}  // namespace sluice::server::admin
