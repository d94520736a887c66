// /certs: the certificates in use.
#include "server/admin/json_writer.h"
#include "server/admin/page.h"

namespace sluice::server::admin {

// No TLS context exists yet, so there is none to list.
void certs_page(const Request&, AdminSource&, Reply& reply) {
  JsonWriter json;
  json.begin_map();
  json.begin_list("certificates");
  json.end_list();
  json.end_map();
  reply.content_type = kJson;
  reply.body = json.take();
}

}  // namespace sluice::server::admin
