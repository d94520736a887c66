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
  if (listener.address.is_ip()) {
    json.begin_map("socket_address");
    json.text("address", listener.address.ip_to_string());
    json.number("port_value", listener.address.port());
  } else {
    json.begin_map("pipe");
    json.text("path", listener.address.to_string());
  }
  json.end_map();
  json.end_map();
  json.end_map();
}

}  // namespace

void listeners_page(const Request& request, AdminSource& source, Reply& reply) {
  if (request.get("format") != "json") {
    for (const ListenerInfo& listener : source.listeners()) {
      append(reply.body, listener.name, "::", listener.address.to_string(), "\n");
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
