// /listeners: names and real addresses.
#include "base/strings.h"
#include "server/admin/json_writer.h"
#include "server/admin/page.h"

namespace sluice::server::admin {
namespace {

void json_listener(JsonWriter& json, const ListenerInfo& listener) {
  json.begin_map();
  json.text("name", listener.name);
  json.begin_map("local_address");
  json.address(listener.address);
  json.end_map();
  if (!listener.additional.empty()) {
    json.begin_list("additional_local_addresses");
    for (const net::Address& address : listener.additional) {
      json.begin_map();
      json.address(address);
      json.end_map();
    }
    json.end_list();
  }
  json.end_map();
}

}  // namespace

void listeners_page(const Request& request, AdminSource& source, Reply& reply) {
  if (request.get("format") != "json") {
    for (const ListenerInfo& listener : source.listeners()) {
      append(reply.body, listener.name, "::", listener.address.to_string(), "\n");
      for (const net::Address& address : listener.additional) {
        append(reply.body, listener.name, "::", address.to_string(), "\n");
      }
    }
    return;
  }
  JsonWriter json;
  json.begin_map();
  json.begin_list("listener_statuses");
  for (const ListenerInfo& listener : source.listeners()) {
    json_listener(json, listener);
  }
  json.end_list();
  json.end_map();
  reply.content_type = kJson;
  reply.body = json.take();
}

}  // namespace sluice::server::admin
