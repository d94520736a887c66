// /xds/history: what control planes sent lately, and what became of it.
#include "server/admin/page.h"

namespace sluice::server::admin {

void xds_history_page(const Request&, AdminSource& source, Reply& reply) {
  reply.content_type = kJson;
  reply.body = source.xds_history();
}

}  // namespace sluice::server::admin
